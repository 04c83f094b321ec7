/** The source of the current time. Replace it to test time-dependent code without waiting. */
export abstract class Clock {
  /** Milliseconds since 1970; may jump when the machine's clock is set. */
  abstract now(): number;
}
