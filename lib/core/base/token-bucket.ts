/** How fast something may be done in the long run, and how much of it at once. */
export interface Rate {
  readonly perSecond: number;
  /** How much may be saved up. */
  readonly burst: number;
}

const TOKEN = 1_000;

/**
 * A token bucket: full at first, refilled steadily, one token for each thing done. Changed in place by its one owner.
 * A clock that goes back does not empty it, and one that jumps ahead fills it at most.
 */
export class TokenBucket {
  /** Thousandths of tokens: with whole rates and milliseconds they add up exactly, so who waits as told is not refused again. */
  #credit: number;
  #refilledAt: number;

  constructor(
    private readonly rate: Rate,
    now: number,
  ) {
    this.#credit = rate.burst * TOKEN;
    this.#refilledAt = now;
  }

  /**
   * Takes a token, if there is one.
   * @param now milliseconds, from any clock
   * @returns 0, or how many milliseconds it takes until there is one
   */
  take(now: number): number {
    const { perSecond, burst } = this.rate;
    if (perSecond === Infinity || burst === Infinity) return 0;
    const elapsedMs = Math.max(0, now - this.#refilledAt);
    this.#credit = Math.min(burst * TOKEN, this.#credit + elapsedMs * perSecond);
    this.#refilledAt = now;
    if (this.#credit < TOKEN) return Math.ceil((TOKEN - this.#credit) / perSecond);
    this.#credit -= TOKEN;
    return 0;
  }
}
