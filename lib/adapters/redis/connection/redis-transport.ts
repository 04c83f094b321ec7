import {
  decodeFrame,
  encodeFrame,
  type BusFrame,
  type FrameStart,
  type UnknownFrame,
} from '../../../core/bus/bus-frame.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { HeardSequences } from './heard-sequences.js';
import type { RedisChannel } from './redis-channels.js';
import { command, type RedisNetwork } from './redis-network.js';

/** Internal counters, for tests and diagnostics. */
export interface RedisBusStats {
  /** Frames that were malformed, of another version, too large, or forged in this node's name. */
  ignored: number;
  /** Frames that were received before: duplicated, late, or replayed. */
  repeated: number;
  /** The number of lost connections for subscriptions: publications until the reconnect did not arrive here. */
  gaps: number;
}

/** Receives a frame that was not received before. `isJoined` is false for a channel that only lingers. */
type FrameTaker = (frame: BusFrame | UnknownFrame, partition: number, isJoined: boolean) => void;

/** Sends frames to other nodes over Redis, and receives theirs; drops malformed and duplicate frames. */
export class RedisTransport {
  readonly stats: RedisBusStats = { ignored: 0, repeated: 0, gaps: 0 };
  readonly #heard = new HeardSequences();
  #sequence = 0;
  #nodeId = '';
  #take: FrameTaker = () => {};

  constructor(
    private readonly network: RedisNetwork,
    readonly maxBytes: number,
  ) {}

  open(nodeId: string, take: FrameTaker): void {
    this.#nodeId = nodeId;
    this.#take = take;
  }

  /** True if the origin is this node. */
  isOwn(origin: string): boolean {
    return origin === this.#nodeId;
  }

  /** The header of the next frame of this node. */
  next(): FrameStart {
    return { origin: this.#nodeId, sequence: ++this.#sequence };
  }

  /** The text of a frame, or `undefined` if it exceeds the size limit. */
  textOf(frame: BusFrame): string | undefined {
    const text = encodeFrame(frame);
    return this.fits(text) ? text : undefined;
  }

  /**
   * True if a text is within the size limit.
   * @param more bytes that are added to it later
   */
  fits(text: string, more = 0): boolean {
    const limit = this.maxBytes - more;
    // No UTF-16 unit takes more than three bytes.
    return text.length * 3 <= limit || Buffer.byteLength(text) <= limit;
  }

  /**
   * Publishes a text.
   * @param sent receives the number of nodes that received it, according to Redis
   * @param failed called when Redis has not confirmed it
   */
  send(channel: RedisChannel, text: string, sent: (count: number) => void, failed: (error: unknown) => void): void {
    const server = this.network.serverOf(channel.partition);
    command(server, [server?.isSharded ? 'SPUBLISH' : 'PUBLISH', channel.name, text]).then(
      (count) => sent(Number(count)),
      (error: unknown) => {
        this.network.mistrust(server, error);
        failed(error);
      },
    );
  }

  /**
   * Publishes a list in as many frames as it takes for each to be small enough.
   * @param frameOf makes the frame of a part
   * @returns false if one item is too large by itself; the items after it are not published either
   */
  sayAll<T>(
    channel: RedisChannel,
    list: readonly T[],
    frameOf: (part: readonly T[], isLast: boolean) => BusFrame,
    isLast = true,
  ): boolean {
    const text = this.textOf(frameOf(list, isLast));
    if (text !== undefined) {
      this.send(channel, text, ignore, ignore);
      return true;
    }
    if (list.length < 2) return false;
    const half = list.length >> 1;
    return (
      this.sayAll(channel, list.slice(0, half), frameOf, false) &&
      this.sayAll(channel, list.slice(half), frameOf, isLast)
    );
  }

  /** Publishes a frame, and resolves once Redis has it or the attempt has failed. */
  tell(channel: RedisChannel, frame: BusFrame): Promise<void> {
    return new Promise((resolve) => {
      this.send(
        channel,
        encodeFrame(frame),
        () => resolve(),
        () => resolve(),
      );
    });
  }

  /** Marks a frame of this node as received, because it was delivered without Redis: if it comes back, it is a duplicate. */
  skip(partition: number, sequence: number): void {
    this.#heard.isNew(this.#nodeId, partition, sequence);
  }

  /**
   * True for a frame in this node's name with a sequence that this node has not reached yet: it is forged, and would make
   * later frames look like duplicates.
   */
  isForged({ origin, sequence }: FrameStart): boolean {
    return origin === this.#nodeId && sequence > this.#sequence;
  }

  readonly hear = (text: string, partition: number, isJoined: boolean): void => {
    const frame = text.length > this.maxBytes ? undefined : decodeFrame(text);
    if (frame === undefined || this.isForged(frame)) this.stats.ignored += 1;
    else if (isPublication(frame) || this.#heard.isNew(frame.origin, partition, frame.sequence)) {
      this.#take(frame, partition, isJoined);
    } else this.stats.repeated += 1;
  };
}

function ignore(): void {}

/** True for a publication: its position shows whether it is a duplicate. A script publishes it, perhaps after later frames of its node. */
function isPublication(frame: BusFrame | UnknownFrame): boolean {
  if (frame.kind !== 'envelope') return false;
  const { content } = frame.envelope;
  return content.kind === 'message' && content.position !== undefined;
}

/** The error for callers whose message exceeds the size limit. */
export function tooLarge(limit: number): RealtimeError {
  return new RealtimeError('LIMIT_EXCEEDED', `The message exceeds the ${limit} bytes that may be sent over Redis.`);
}
