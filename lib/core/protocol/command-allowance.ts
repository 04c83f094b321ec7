/** The rate limit for the commands of one connection. */
export interface CommandRate {
  readonly perSecond: number;
  /** The most commands of any kind that can be saved up. */
  readonly burst: number;
  /** The most commands that open topics ({@link opensTopics}) that can be saved up on top of the burst. */
  readonly opening: number;
}

/** The commands with which a client opens a topic: it sends one of each for every topic of a page at once. */
const OPENING_ACTIONS: readonly string[] = ['subscribe', 'presence', 'history'];

/** The most topics for which an opening burst leaves room, where a connection may have any number. */
const MAX_OPENED_TOPICS = 4_096;

/** Commands in thousandths, so that whole rates add up exactly: a caller that waits as told is not refused again. */
const TOKEN = 1_000;

/** Returns the rate with which a connection can open as many topics as it may have, at once. */
export function commandRateOf(limits: {
  readonly commandsPerSecond: number;
  readonly commandBurst: number;
  readonly maxTopicsPerConnection: number;
}): CommandRate {
  const { commandsPerSecond: perSecond, commandBurst: burst, maxTopicsPerConnection } = limits;
  const opening = OPENING_ACTIONS.length * Math.min(maxTopicsPerConnection, MAX_OPENED_TOPICS);
  return { perSecond, burst, opening };
}

/** True for a command that may draw on the opening burst. */
export function opensTopics(action: string): boolean {
  return OPENING_ACTIONS.includes(action);
}

/**
 * The rate limiter for the commands of one connection: a token bucket that starts full and refills steadily, first the burst,
 * then the opening burst. A clock that goes back does not empty it; a clock that jumps ahead at most fills it. Mutable; one owner
 * changes it.
 */
export class CommandAllowance {
  #burst: number;
  #opening: number;
  #refilledAt: number;

  constructor(
    readonly rate: CommandRate,
    now: number,
  ) {
    this.#burst = rate.burst * TOKEN;
    this.#opening = rate.opening * TOKEN;
    this.#refilledAt = now;
  }

  /**
   * Takes tokens, if one is available.
   * @param now milliseconds, from any clock
   * @param opens true for a command that may draw on the opening burst, with its first token
   * @param cost the number of tokens. One has to be available, the others may be owed: a command that costs more than the burst
   *   is not refused for ever
   * @returns 0 if they were taken, else the milliseconds until one is available
   */
  take(now: number, opens = false, cost = 1): number {
    const waitMs = this.wait(now);
    if (opens && this.#opening >= TOKEN) {
      this.#opening -= TOKEN;
      this.#burst -= (cost - 1) * TOKEN;
      return 0;
    }
    if (waitMs === 0) this.#burst -= cost * TOKEN;
    return waitMs;
  }

  /** Returns the milliseconds until there is a token for a command of any kind; 0 if there is one. Takes none. */
  wait(now: number): number {
    const { perSecond, burst, opening } = this.rate;
    if (this.#isUnlimited) return 0;
    const refilled = this.#burst + Math.max(0, now - this.#refilledAt) * perSecond;
    this.#refilledAt = now;
    this.#burst = Math.min(burst * TOKEN, refilled);
    if (refilled > this.#burst) this.#opening = Math.min(opening * TOKEN, this.#opening + refilled - this.#burst);
    return this.#burst < TOKEN ? Math.ceil((TOKEN - this.#burst) / perSecond) : 0;
  }

  /** Returns the number of missing commands, those that open topics included; 0 when nothing more can be saved up. */
  spent(now: number): number {
    const { burst, opening } = this.rate;
    if (this.#isUnlimited) return 0;
    this.wait(now);
    return burst + opening - (this.#burst + this.#opening) / TOKEN;
  }

  /** Returns the milliseconds that an empty allowance takes to fill, what is owed included. */
  get fillMs(): number {
    const { perSecond, burst, opening } = this.rate;
    const owed = Math.max(0, -this.#burst / TOKEN);
    return this.#isUnlimited ? 0 : ((burst + opening + owed) / perSecond) * 1_000;
  }

  get #isUnlimited(): boolean {
    return this.rate.perSecond === Infinity || this.rate.burst === Infinity;
  }
}
