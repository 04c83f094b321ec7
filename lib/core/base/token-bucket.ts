/** A rate limit: the sustained rate, and the burst allowed on top. */
export interface Rate {
  readonly perSecond: number;
  /** The most tokens that can be saved up. */
  readonly burst: number;
}

const TOKEN = 1_000;

/**
 * A token bucket for rate limits: it starts full, refills steadily and gives out one token per action. A clock that goes
 * back does not empty it; a clock that jumps ahead at most fills it. Mutable; one owner changes it.
 */
export class TokenBucket {
  /** Thousandths of tokens, so that whole rates add up exactly: a caller that waits as told is not refused again. */
  #credit: number;
  #refilledAt: number;

  constructor(
    readonly rate: Rate,
    now: number,
  ) {
    this.#credit = rate.burst * TOKEN;
    this.#refilledAt = now;
  }

  /**
   * Takes tokens, if one is available.
   * @param now milliseconds, from any clock
   * @param cost the number of tokens. One has to be available, the others may be owed
   * @returns 0 if they were taken, else the milliseconds until one is available
   */
  take(now: number, cost = 1): number {
    const waitMs = this.wait(now);
    if (waitMs === 0) this.#credit -= cost * TOKEN;
    return waitMs;
  }

  /** Returns the milliseconds until a token is available; 0 if one is. Takes none. */
  wait(now: number): number {
    const { perSecond, burst } = this.rate;
    if (isUnlimited(this.rate)) return 0;
    const elapsedMs = Math.max(0, now - this.#refilledAt);
    this.#credit = Math.min(burst * TOKEN, this.#credit + elapsedMs * perSecond);
    this.#refilledAt = now;
    return this.#credit < TOKEN ? Math.ceil((TOKEN - this.#credit) / perSecond) : 0;
  }

  /** Returns the number of missing tokens, with its fraction; 0 when nothing more can be saved up. */
  spent(now: number): number {
    this.wait(now);
    return isUnlimited(this.rate) ? 0 : this.rate.burst - this.#credit / TOKEN;
  }

  /** Returns the milliseconds that an empty bucket takes to fill, what is owed included. */
  get fillMs(): number {
    const owed = Math.max(0, -this.#credit / TOKEN);
    return fillMsOf(this.rate, owed);
  }

  /** Puts back a token that was taken. */
  putBack(): void {
    this.#credit = Math.min(this.rate.burst * TOKEN, this.#credit + TOKEN);
  }
}

/** Returns the milliseconds that an empty bucket takes to fill. @param owed tokens that are missing besides */
export function fillMsOf(rate: Rate, owed = 0): number {
  return isUnlimited(rate) ? 0 : ((rate.burst + owed) / rate.perSecond) * 1_000;
}

function isUnlimited({ perSecond, burst }: Rate): boolean {
  return perSecond === Infinity || burst === Infinity;
}
