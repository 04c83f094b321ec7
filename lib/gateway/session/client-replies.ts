import type { CommandId } from '../../core/protocol/command.js';
import type { Blame } from '../../core/protocol/decoded.js';
import type { ErrorCode, WireError } from '../../core/protocol/error-code.js';
import { isAnswer, type Push } from '../../core/protocol/push.js';
import { TokenBucket } from '../../core/base/token-bucket.js';
import type { ConnectionSocket } from '../../ports/connection-socket.js';
import { Frame } from '../../ports/frame.js';
import type { Clock } from '../../ports/clock.js';
import type { RealtimeTracing } from '../../ports/realtime-tracing.js';
import type { NodeMeter } from '../../delivery/node-meter.js';
import type { Timestamps } from '../../delivery/timestamps.js';
import type { FrameSet } from '../../delivery/frame-set.js';
import type { Rate } from '../../core/base/token-bucket.js';
import type { Disconnectable } from './connection-failure.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeGateway');

const UNWRITABLE = { code: 'INTERNAL', message: 'The server failed to handle this; its log has the reason.' } as const;

/** The same mistake within this time counts as repeated without a pause, in milliseconds. */
const REPEAT_PAUSE_MS = 1_000;

interface Services {
  readonly clock: Clock;
  readonly timestamps: Timestamps;
  /** The rate limit for mistakes. */
  readonly mistakeRate: Rate;
  readonly meter: Pick<NodeMeter, 'failed'>;
  readonly tracing: RealtimeTracing;
}

/** Writes to one client: pushes about its connection, and the replies to its commands. */
export class ClientReplies {
  /** Made with the client's first mistake. */
  #mistakes: TokenBucket | undefined;
  #counted = 0;
  /** When a mistake was refused that counts only if it is repeated. */
  #refusedAt: number | undefined;

  /**
   * @param owner ended after one violation too many
   */
  constructor(
    private readonly socket: ConnectionSocket,
    private readonly services: Services,
    private readonly owner: Disconnectable,
  ) {}

  /** Sends one push. Throws when a payload cannot be written. */
  push(push: Push): void {
    const payload = this.socket.codec.encodePush(push, this.services.timestamps.now());
    if (payload !== undefined) this.socket.send(new Frame(payload), isAnswer(push));
  }

  /** Sends an answer whose size counts, because it is much larger than the command that asked for it. */
  pushCounted(push: Push): void {
    const payload = this.socket.codec.encodePush(push, this.services.timestamps.now());
    if (payload === undefined) return;
    this.#counted += payload.length;
    this.socket.send(new Frame(payload), isAnswer(push));
  }

  /** True if an answer to a request to recover holds the first page of publications. */
  get answersWithPublications(): boolean {
    return this.socket.codec.answersWithPublications === true;
  }

  /** Sends missed publications, in frames that were made for many clients. Their size counts. */
  sendAll(frames: readonly FrameSet[]): void {
    for (const each of frames) {
      const frame = each.for(this.socket.codec);
      this.#counted += frame.payload.length;
      this.socket.send(frame);
    }
  }

  /** Returns the size of the answers that counted since the last call, in characters or bytes. */
  takeCounted(): number {
    const counted = this.#counted;
    this.#counted = 0;
    return counted;
  }

  /** Sends an error; with an id, as the answer to that command. */
  fail(error: WireError, id?: CommandId): void {
    const { meter, tracing } = this.services;
    meter.failed(error);
    tracing.tracer?.failed(error.code);
    const identified = id !== undefined && { id };
    try {
      this.push({ kind: 'error', error, ...identified });
    } catch (cause) {
      // The details of an application's error may be unwritable: the client receives an error without them.
      logger.error(`An error with the code ${error.code} could not be encoded`, (cause as Error)?.stack);
      const { action, topic } = error;
      const at = { ...(action !== undefined && { action }), ...(topic !== undefined && { topic }) };
      this.push({ kind: 'error', error: { ...UNWRITABLE, ...at }, ...identified });
    }
  }

  /**
   * Sends an error that counts as a violation by the client, unless it is not to blame; a violation above the limit ends the
   * connection.
   */
  refuse(error: WireError, id?: CommandId, blame: Blame = 'always'): void {
    this.fail(error, id);
    if (blame === 'always' || (blame === 'if-repeated' && this.#isRepeated())) this.blame(error.code);
  }

  /** Counts a violation; one above the limit ends the connection. */
  blame(code: ErrorCode): void {
    const now = this.services.clock.now();
    this.#mistakes ??= new TokenBucket(this.services.mistakeRate, now);
    if (this.#mistakes.take(now) === 0) return;
    this.owner.disconnect(code === 'RATE_LIMITED' ? 'TOO_MANY_REQUESTS' : 'TOO_MANY_ERRORS');
  }

  /** @returns true if it was called less than a pause ago */
  #isRepeated(): boolean {
    const before = this.#refusedAt;
    this.#refusedAt = this.services.clock.now();
    return before !== undefined && this.#refusedAt - before < REPEAT_PAUSE_MS;
  }
}
