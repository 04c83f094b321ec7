/** How long things may take, in beats. */
export interface PulseLimits {
  /** From one ping to the next. */
  readonly intervalTicks: number;
  /** For an answer to come. */
  readonly timeoutTicks: number;
}

/** What to do at a beat; `stuck` is who has not been listened to for too long. */
export type PulseAction = 'none' | 'ping' | 'dead' | 'stuck';

/** For how many timeouts a peer may not be listened to. */
const MAX_UNHEARD_TIMEOUTS = 10;

/**
 * Whether a peer still lives, counted in beats and not by a clock: after a stall of the process one beat has passed, and
 * what the peer had answered meanwhile is heard before the next. Changed in place by its one owner.
 */
export class Liveness {
  #ticksToPing: number | undefined;
  #ticksToPong = 0;
  #unheardTicks = 0;

  /** Something came from the peer. */
  heard(): void {
    this.#ticksToPong = 0;
  }

  /**
   * Called at a steady pace.
   * @param spread from 0 to 1: where in the first interval the first ping falls; at random, it spreads the load
   * @param isListenedTo false while nothing is read of what the peer says; it cannot be heard then, but not for ever
   */
  beat({ intervalTicks, timeoutTicks }: PulseLimits, spread: number, isListenedTo = true): PulseAction {
    this.#unheardTicks = isListenedTo ? 0 : this.#unheardTicks + 1;
    if (!isListenedTo) this.heard();
    if (this.#unheardTicks > timeoutTicks * MAX_UNHEARD_TIMEOUTS) return 'stuck';
    if (this.#ticksToPong > 0 && --this.#ticksToPong === 0) return 'dead';
    this.#ticksToPing ??= Math.ceil(spread * intervalTicks);
    if (--this.#ticksToPing > 0) return 'none';
    this.#ticksToPing = intervalTicks;
    // The beat at which it was sent does not count.
    if (this.#ticksToPong === 0) this.#ticksToPong = timeoutTicks + 1;
    return 'ping';
  }
}
