/** The answer that counts as much as a command, in characters. */
const COMMAND_LENGTH = 65_536;

/** The rate limit for the histories, presence and missed publications that are sent to a connection. */
export interface AnswerRate {
  /** In characters. */
  readonly perSecond: number;
  /** The most that can be saved up, in characters. */
  readonly burst: number;
}

/** Returns the rate that goes with the rate limit for commands: 64 KiB of answers for each command, and for each topic once. */
export function answerRateOf(limits: {
  readonly commandsPerSecond: number;
  readonly commandBurst: number;
  readonly maxTopicsPerConnection: number;
}): AnswerRate {
  const { commandsPerSecond, commandBurst, maxTopicsPerConnection } = limits;
  return {
    perSecond: commandsPerSecond * COMMAND_LENGTH,
    burst: (commandBurst + maxTopicsPerConnection) * COMMAND_LENGTH,
  };
}

/**
 * Paces a connection by the size of what it reads: an answer is sent as a whole, and the next command waits until it is paid for.
 * Mutable; one owner changes it.
 */
export class AnswerPace {
  #credit: number;
  #refilledAt: number;

  constructor(
    private readonly rate: AnswerRate,
    now: number,
  ) {
    this.#credit = rate.burst;
    this.#refilledAt = now;
  }

  /** Counts an answer. @param now milliseconds, from any clock */
  spend(length: number, now: number): void {
    this.#refill(now);
    this.#credit -= length;
  }

  /** Returns the milliseconds until the next command may run; 0 if it may now. */
  wait(now: number): number {
    this.#refill(now);
    return this.#credit < 0 ? Math.ceil((-this.#credit * 1_000) / this.rate.perSecond) : 0;
  }

  /** Returns what is missing, in commands; 0 when nothing more can be saved up. */
  spent(now: number): number {
    this.#refill(now);
    return this.#credit === Infinity ? 0 : (this.rate.burst - this.#credit) / COMMAND_LENGTH;
  }

  /** Returns the milliseconds that an empty pace takes to fill, what is owed included. */
  get fillMs(): number {
    const owed = Math.max(0, -this.#credit);
    return this.#isUnlimited ? 0 : ((this.rate.burst + owed) * 1_000) / this.rate.perSecond;
  }

  get #isUnlimited(): boolean {
    return this.rate.perSecond === Infinity || this.rate.burst === Infinity;
  }

  #refill(now: number): void {
    const { perSecond, burst } = this.rate;
    const elapsedMs = Math.max(0, now - this.#refilledAt);
    this.#refilledAt = now;
    if (this.#isUnlimited) this.#credit = Infinity;
    else this.#credit = Math.min(burst, this.#credit + (elapsedMs * perSecond) / 1_000);
  }
}
