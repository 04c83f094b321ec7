import type { Position } from './journal.js';

/** Somebody who subscribes to a topic, comes back when the connection ends, and writes down what comes. */
export interface Subscriber {
  /** The position; unknown before the first subscription. */
  readonly at: Position | undefined;
  /** True while it is subscribed. */
  readonly isIn: boolean;
  /** Sends it home. */
  stop(): Promise<void>;
}
