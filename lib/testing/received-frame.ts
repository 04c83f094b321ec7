/** A frame as a plain client receives it. */
export interface ReceivedFrame {
  readonly type: string;
  readonly timestamp: string;
  /** The payload, in the shape that belongs to the type. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests read fields of any payload
  readonly payload?: any;
  readonly topic?: string;
  /** Its offset in the topic's history. */
  readonly offset?: number;
  readonly id?: string | number;
}
