/** Tells the time. Replace it to test what depends on time without waiting. */
export abstract class Clock {
  /** Milliseconds since 1970; may jump when the machine's clock is set. */
  abstract now(): number;
}
