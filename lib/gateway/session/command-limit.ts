import type { ReadingPause } from '../../core/connection/reading-pause.js';
import type { ClientAllowance } from '../../core/protocol/client-allowance.js';
import { costOf } from '../../core/protocol/command-cost.js';
import { opensTopics } from '../../core/protocol/command-allowance.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import type { Excess } from '../../core/protocol/frame-verdict.js';
import type { GatewayLimits } from '../../core/protocol/gateway-limits.js';
import { beginPause, isViolation, withExcess, type RatePause } from '../../core/protocol/rate-pause.js';
import type { Clock } from '../../ports/clock.js';

/** The connection whose commands are limited. */
export interface LimitedConnection {
  pauseReading(reason: ReadingPause): void;
  resumeReading(reason: ReadingPause): void;
  /** Returns false if a subscription to the topic would be one more than the connection may have. */
  hasRoomFor(topic: string): boolean;
}

/** A command above the rate limit, and whether the client is to blame. */
export interface BlamedExcess extends Excess {
  readonly isViolation: boolean;
}

/**
 * Applies the rate limit to the commands of one connection. When it is used up, the socket is not read until the next token, so
 * that TCP backpressure slows the client down; the commands that were read already exceed it.
 */
export class CommandLimit {
  #pause: RatePause | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly allowance: ClientAllowance,
    private readonly clock: Clock,
    private readonly owner: LimitedConnection,
  ) {}

  /**
   * Counts a command.
   * @param gateway the limits of the gateway that a message is for, if it has any
   * @returns nothing if it is within the limit
   */
  take(decoded: Decoded, gateway?: GatewayLimits): BlamedExcess | undefined {
    const now = this.clock.now();
    const isWithoutRoom = this.#isWithoutRoom(decoded);
    // A subscription that is refused anyway leaves the opening burst to the commands for topics that the client has.
    const opens = decoded.ok && opensTopics(decoded.command.action) && !isWithoutRoom;
    const waitMs = this.allowance.take(now, opens, gateway, costOf(decoded));
    if (waitMs === 0) {
      const emptyMs = this.allowance.wait(now, gateway);
      if (emptyMs > 0) this.#begin(now, emptyMs);
      return undefined;
    }
    const pause = (this.#pause = withExcess(this.#begin(now, waitMs)));
    const { perSecond, burst } = this.allowance.rateOf(now, gateway);
    return {
      // The commands refused earlier in this pause have the first tokens.
      retryAfterMs: Math.ceil(waitMs + ((pause.excess - 1) * 1_000) / perSecond),
      isViolation: isViolation(pause, burst),
      isWithoutRoom,
    };
  }

  /** Ends a pause without reading again. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #isWithoutRoom(decoded: Decoded): boolean {
    return decoded.ok && decoded.command.action === 'subscribe' && !this.owner.hasRoomFor(decoded.command.topic);
  }

  #begin(now: number, waitMs: number): RatePause {
    if (this.#timer && this.#pause) return this.#pause;
    const pause = (this.#pause = beginPause(this.#pause, now, waitMs));
    // Frames that were received already are read first, so that their answers do not wait for the end of the pause.
    process.nextTick(() => this.owner.pauseReading('rate'));
    // Timers may fire a millisecond early.
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.owner.resumeReading('rate');
    }, pause.pauseMs + 1).unref();
    return pause;
  }
}
