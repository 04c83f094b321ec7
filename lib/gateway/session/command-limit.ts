import type { Rate } from '../../core/base/token-bucket.js';
import type { ReadingPause } from '../../core/connection/reading-pause.js';
import type { ClientAllowance } from '../../core/protocol/client-allowance.js';
import { costOf } from '../../core/protocol/command-cost.js';
import { opensTopics } from '../../core/protocol/command-allowance.js';
import type { Decoded } from '../../core/protocol/decoded.js';
import { isEnding, isMistake, type Excess } from '../../core/protocol/frame-verdict.js';
import { gatewayRateOf, type GatewayLimits } from '../../core/protocol/gateway-limits.js';
import {
  beginPause,
  isViolation,
  needsNotice,
  noticed,
  withExcess,
  withNotice,
  type RatePause,
} from '../../core/protocol/rate-pause.js';
import { RetryTimes } from '../../core/protocol/retry-times.js';
import type { Clock } from '../../ports/clock.js';

/** The connection whose commands are limited. */
export interface LimitedConnection {
  pauseReading(reason: ReadingPause): void;
  resumeReading(reason: ReadingPause): void;
  /** Sends a WebSocket ping, behind all that was sent before. The number comes back with its pong. */
  sendNotice(number: number): void;
  /** Returns false if a subscription to the topic would be one more than the connection may have. */
  hasRoomFor(topic: string): boolean;
}

/** A command above the rate limit, and whether the client is to blame. */
export interface BlamedExcess extends Excess {
  readonly isViolation: boolean;
}

/**
 * Applies the rate limit to the commands of one connection. When it is used up, the socket is not read until the next token, so
 * that TCP backpressure slows the client down. The commands that were read already are refused; when the limit for refusals is used
 * up as well, they wait for their tokens. After a pause with refusals the client is sent a ping: what it sends after its pong, it
 * sends although it was refused.
 */
export class CommandLimit {
  #pause: RatePause | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** True while the commands that were read wait as well. */
  #holds = false;
  /** The number of pings that were sent. */
  #notices = 0;
  /** By the gateway whose rate holds a command back; `undefined` for the common one. Made with the first refusal. */
  #retries: Map<GatewayLimits | undefined, RetryTimes> | undefined;

  constructor(
    readonly allowance: ClientAllowance,
    private readonly clock: Clock,
    private readonly owner: LimitedConnection,
  ) {}

  /** Called before the first command: with a used allowance it waits, so that connecting again and again costs no decoding. */
  begin(): void {
    const now = this.clock.now();
    const waitMs = this.allowance.wait(now);
    if (waitMs === 0) return;
    this.#begin(now, waitMs, this.allowance.rateOf(now));
    this.#hold();
  }

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
    const cost = costOf(decoded);
    // Others are carried out or refused for good at any pace: a client that sends them does not ignore `retryAfterMs`.
    const isToBeHeeded = !isEnding(decoded) && !isWithoutRoom;
    const retries = this.#retries?.get(rateKeyOf(gateway));
    const isBack = isToBeHeeded && this.#pause?.isNoticed === true && retries !== undefined && retries.isBack(now);
    const waitMs = this.allowance.take(now, opens, gateway, cost);
    if (waitMs === 0) {
      const emptyMs = this.allowance.wait(now, gateway);
      if (emptyMs === 0) {
        retries?.release();
        return undefined;
      }
      this.#begin(now, emptyMs, this.allowance.rateOf(now, gateway));
      if (!this.allowance.mayRefuse(now)) this.#hold();
      return undefined;
    }
    const rate = this.allowance.rateOf(now, gateway);
    const before = this.#begin(now, waitMs, rate);
    // A command that was on its way may have taken the token of one that is back in time.
    const pause = (this.#pause = withExcess(before, isToBeHeeded, isBack));
    // Mistakes need no other limit, since few of them end the connection.
    if (!isMistake(decoded)) this.allowance.refused(now, cost);
    if (!this.allowance.mayRefuse(now)) this.#hold();
    const tokenMs = (cost * 1_000) / rate.perSecond;
    return {
      retryAfterMs: isToBeHeeded
        ? Math.ceil(this.#retryTimesOf(gateway).after(now, waitMs, tokenMs))
        : Math.ceil(waitMs),
      isViolation: isViolation(pause, before),
      isWithoutRoom,
    };
  }

  /** Called when the client has answered the ping with this number, and the frames that it sent before are handled. */
  noticed(number: number): void {
    if (this.#pause) this.#pause = noticed(this.#pause, number);
  }

  /** Ends a pause without reading again. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  #retryTimesOf(gateway: GatewayLimits | undefined): RetryTimes {
    const key = rateKeyOf(gateway);
    this.#retries ??= new Map();
    let times = this.#retries.get(key);
    if (times === undefined) this.#retries.set(key, (times = new RetryTimes()));
    return times;
  }

  #isWithoutRoom(decoded: Decoded): boolean {
    return decoded.ok && decoded.command.action === 'subscribe' && !this.owner.hasRoomFor(decoded.command.topic);
  }

  /** Lets the frames that were read already wait until the pause is over. */
  #hold(): void {
    if (this.#holds) return;
    this.#holds = true;
    this.owner.pauseReading('refusals');
  }

  #begin(now: number, waitMs: number, rate: Rate): RatePause {
    if (this.#timer && this.#pause) return this.#pause;
    const pause = (this.#pause = beginPause(this.#pause, now, waitMs, rate));
    // Frames that were received already are read first, so that their answers do not wait for the end of the pause.
    process.nextTick(() => this.owner.pauseReading('rate'));
    // Timers may fire a millisecond early.
    this.#timer = setTimeout(() => this.#end(), pause.pauseMs + 1).unref();
    return pause;
  }

  #end(): void {
    this.#timer = undefined;
    if (this.#pause && needsNotice(this.#pause)) {
      this.#pause = withNotice(this.#pause, ++this.#notices);
      this.owner.sendNotice(this.#notices);
    }
    this.owner.resumeReading('rate');
    if (!this.#holds) return;
    this.#holds = false;
    this.owner.resumeReading('refusals');
  }
}

/** Messages to a gateway without a rate of its own draw on the common one. */
function rateKeyOf(gateway: GatewayLimits | undefined): GatewayLimits | undefined {
  return gateway !== undefined && gatewayRateOf(gateway) !== undefined ? gateway : undefined;
}
