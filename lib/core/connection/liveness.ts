/** Limits of the heartbeat, in ticks. */
export interface LivenessLimits {
  /** Ticks from one ping to the next. */
  readonly intervalTicks: number;
  /** Ticks from a ping to the heartbeat timeout. */
  readonly timeoutTicks: number;
}

/** The action at a tick. `dead`: heartbeat timeout. `stuck`: the server has not read from the peer for too long. */
export type LivenessAction = 'none' | 'ping' | 'dead' | 'stuck';

/** The number of heartbeat timeouts for which the server may leave a peer unread. */
const MAX_UNREAD_TIMEOUTS = 10;

/**
 * Detects dead peers by a heartbeat timeout. It counts ticks instead of reading a clock: a stall of the process counts as
 * one tick, and answers that arrived during the stall are read before the next tick. Mutable; one owner changes it.
 */
export class Liveness {
  #ticksToPing: number | undefined;
  #ticksToPong = 0;
  #unreadTicks = 0;
  /** Pings that wait for the command that answers them. */
  #answersDue = 0;

  /** Records that the peer sent something. */
  heard(): void {
    this.#ticksToPong = 0;
  }

  /** Records a ping that the client has to answer with a command. */
  awaitAnswer(): void {
    this.#answersDue += 1;
  }

  /** Records such an answer. @returns false if no ping was waiting for one */
  answered(): boolean {
    if (this.#answersDue === 0) return false;
    this.#answersDue -= 1;
    return true;
  }

  /**
   * Advances by one tick. Call it at a steady rate.
   * @param spread position of the first ping in the first interval, from 0 to 1; a random value spreads the load
   * @param isRead false while reading from the peer is paused (backpressure). The peer cannot time out then, but after 10
   * timeouts it is `stuck`
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
