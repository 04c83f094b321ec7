/** Longest slice of work in one turn of the event loop, in milliseconds: other work waits no longer than that. */
export const TURN_MS = 8;

/** After this many steps the clock is read; one step takes some microseconds. */
const STEPS = 16;

/** Tells long work when to give way, so that it is cut into slices and the event loop serves others in between. */
export class TurnBudget {
  #endsAt = 0;
  #steps = 0;

  /** @param now milliseconds of a clock that does not go back */
  constructor(private readonly now: () => number) {}

  /** Begins a slice. @param ms its length, in milliseconds */
  begin(ms: number = TURN_MS): void {
    this.#endsAt = this.now() + ms;
    this.#steps = 0;
  }

  /**
   * Records work that was done.
   * @param steps its size; a step takes some microseconds at most
   * @returns true when the slice is over; the clock is read once in 16 steps
   */
  isSpent(steps = 1): boolean {
    this.#steps += steps;
    if (this.#steps < STEPS) return false;
    this.#steps = 0;
    return this.now() >= this.#endsAt;
  }
}
