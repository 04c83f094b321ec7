/** How long a peer may take, in ticks. */
export interface LivenessLimits {
  /** From one ping to the next. */
  readonly intervalTicks: number;
  /** From a ping to its answer. */
  readonly timeoutTicks: number;
}

/** What to do at a tick; `stuck` means that the server has not read from the peer for too long. */
export type LivenessAction = 'none' | 'ping' | 'dead' | 'stuck';

/** The number of heartbeat timeouts for which the server may leave a peer unread. */
const MAX_UNREAD_TIMEOUTS = 10;

/**
 * Decides whether a peer still lives. Time is counted in ticks and not by a clock: after a stall of the process one tick has
 * passed, and the answers that came in meanwhile are read before the next. Changed in place by its one owner.
 */
export class Liveness {
  #ticksToPing: number | undefined;
  #ticksToPong = 0;
  #unreadTicks = 0;
  /** Pings that wait for the command that answers them. */
  #answersDue = 0;

  /** Records a sign of life. */
  heard(): void {
    this.#ticksToPong = 0;
  }

  /** Records a ping that the client has to answer with a command. */
  awaitAnswer(): void {
    this.#answersDue += 1;
  }

  /** Records such an answer. @returns false when no ping was waiting for one */
  answered(): boolean {
    if (this.#answersDue === 0) return false;
    this.#answersDue -= 1;
    return true;
  }

  /**
   * Called at a steady pace.
   * @param spread from 0 to 1: where in the first interval the first ping falls; a random value spreads the load
   * @param isRead false while the server does not read what the peer sends: the peer cannot be heard then, which is accepted
   * for a bounded time
   */
  tick({ intervalTicks, timeoutTicks }: LivenessLimits, spread: number, isRead = true): LivenessAction {
    this.#unreadTicks = isRead ? 0 : this.#unreadTicks + 1;
    if (!isRead) this.heard();
    if (this.#unreadTicks > timeoutTicks * MAX_UNREAD_TIMEOUTS) return 'stuck';
    if (this.#ticksToPong > 0 && --this.#ticksToPong === 0) return 'dead';
    this.#ticksToPing ??= Math.ceil(spread * intervalTicks);
    if (--this.#ticksToPing > 0) return 'none';
    this.#ticksToPing = intervalTicks;
    // The tick at which the ping was sent does not count.
    if (this.#ticksToPong === 0) this.#ticksToPong = timeoutTicks + 1;
    return 'ping';
  }
}
