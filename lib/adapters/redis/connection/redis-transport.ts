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

/** What goes on unseen, for tests and for those who look for a fault. */
export interface RedisBusStats {
  /** Frames that were no frames, of another version, too large, or in this node's name without being from it. */
  ignored: number;
  /** Frames that had come before: twice, late, or played back. */
  repeated: number;
  /** How often a connection for subscriptions was lost: what was published until it was back did not arrive here. */
  gaps: number;
}

/** Takes a frame that was not heard before. `isJoined` is false for what only lingers. */
type FrameTaker = (frame: BusFrame | UnknownFrame, partition: number, isJoined: boolean) => void;

/** Says frames to others over Redis, and hears theirs: what is no frame, or was heard before, ends here. */
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

  /** True for this node. */
  isOwn(origin: string): boolean {
    return origin === this.#nodeId;
  }

  /** The beginning of the next frame of this node. */
  next(): FrameStart {
    return { origin: this.#nodeId, sequence: ++this.#sequence };
  }

  /** The text of a frame, or `undefined` when it is larger than is allowed. */
  textOf(frame: BusFrame): string | undefined {
    const text = encodeFrame(frame);
    return this.fits(text) ? text : undefined;
  }

  /**
   * True when a text is no larger than is allowed.
   * @param more bytes that are added to it on its way
   */
  fits(text: string, more = 0): boolean {
    const limit = this.maxBytes - more;
    // No UTF-16 unit takes more than three bytes.
    return text.length * 3 <= limit || Buffer.byteLength(text) <= limit;
  }

  /**
   * Publishes a text.
   * @param sent told to how many nodes Redis has handed it
   * @param failed called when it is not known that Redis has it
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
   * @returns false when something in it is too large by itself: what stands behind that is not said either
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

  /** Publishes a frame, and resolves when Redis has it or cannot be told. */
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

  /** What this node said was taken without Redis: should it come back, it is not new. */
  skip(partition: number, sequence: number): void {
    this.#heard.isNew(this.#nodeId, partition, sequence);
  }

  /**
   * True for a frame in this node's name with a sequence that it has not reached yet: it is not from this node, and would
   * hide those that come.
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

/** Its position tells whether it was heard before. A script has published it, perhaps behind what its node has said later. */
function isPublication(frame: BusFrame | UnknownFrame): boolean {
  if (frame.kind !== 'envelope') return false;
  const { content } = frame.envelope;
  return content.kind === 'message' && content.position !== undefined;
}

/** What callers are told whose message does not fit. */
export function tooLarge(limit: number): RealtimeError {
  return new RealtimeError('LIMIT_EXCEEDED', `The message is larger than the ${limit} bytes that Redis is to carry.`);
}
