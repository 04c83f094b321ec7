/** A frame as a plain client receives it. */
export interface ReceivedFrame {
  readonly type: string;
  readonly timestamp: string;
  /** Of the shape that goes with the type. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into it as they please
  readonly payload?: any;
  readonly topic?: string;
  /** Its place in the history of its topic. */
  readonly offset?: number;
  readonly id?: string | number;
}
