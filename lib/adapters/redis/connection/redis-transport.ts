import {
  decodeFrame,
  encodeFrame,
  type BusFrame,
  type FrameStart,
  type UnknownFrame,
} from '../../../core/bus/bus-frame.js';
import { MAX_POSITION_BYTES, splitPublication } from '../../../core/bus/publication-frame.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import { SafeLogger } from '../../../errors/safe-logger.js';
import type { FrameSigner, SignatureVerdict } from './frame-signer.js';
import { HeardSequences } from './heard-sequences.js';
import type { RedisChannel } from './redis-channels.js';
import { command, type RedisNetwork } from './redis-network.js';

/** Internal counters, for tests and diagnostics. */
export interface RedisBusStats {
  /** Frames that were malformed, of another version, too large, or forged in this node's name. */
  ignored: number;
  /** Frames that were received before: duplicated, late, or replayed. */
  repeated: number;
  /** With a secret: frames without a signature. */
  unsigned: number;
  /** With a secret: frames whose signature is wrong. */
  wronglySigned: number;
  /** The number of lost connections for subscriptions: publications until the reconnect did not arrive here. */
  gaps: number;
}

/** Receives a frame that was not received before. `isJoined` is false for a channel that only lingers. */
type FrameTaker = (frame: BusFrame | UnknownFrame, partition: number, isJoined: boolean) => void;

/** Sends frames to other nodes over Redis, and receives theirs; drops malformed, duplicate and forged frames. */
export class RedisTransport {
  readonly stats: RedisBusStats = { ignored: 0, repeated: 0, unsigned: 0, wronglySigned: 0, gaps: 0 };
  readonly #logger = new SafeLogger(RedisTransport.name);
  readonly #heard = new HeardSequences();
  #sequence = 0;
  #nodeId = '';
  #take: FrameTaker = () => {};

  constructor(
    private readonly network: RedisNetwork,
    readonly maxBytes: number,
    private readonly signer?: FrameSigner,
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

  /** The text of a frame for a channel, signed if there is a secret; `undefined` if it exceeds the size limit. */
  textOf({ name }: RedisChannel, frame: BusFrame): string | undefined {
    const text = encodeFrame(frame);
    const signed = this.signer ? this.signer.sign(name, text) : text;
    return this.#fits(signed) ? signed : undefined;
  }

  /**
   * The two parts of the frame of a publication, between which a script writes the position; `undefined` if it exceeds the size
   * limit.
   */
  publicationOf(
    { name }: RedisChannel,
    frame: Extract<BusFrame, { kind: 'envelope' }>,
  ): readonly [head: string, tail: string] | undefined {
    const text = encodeFrame(frame);
    const signed = this.signer ? this.signer.sign(name, text, true) : text;
    return this.#fits(signed, MAX_POSITION_BYTES) ? splitPublication(signed) : undefined;
  }

  /** @param more bytes that are added to it later */
  #fits(text: string, more = 0): boolean {
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
   * Publishes a text that a server has published which does not own the slot of the channel yet: the nodes are still
   * subscribed at the owner.
   * @returns the number of nodes that received it; `undefined` if it failed, as when the slot has got its new owner meanwhile
   */
  relay(channel: RedisChannel, text: string): Promise<number | undefined> {
    return new Promise((resolve) => this.send(channel, text, resolve, () => resolve(undefined)));
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
    const text = this.textOf(channel, frameOf(list, isLast));
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
        this.textOf(channel, frame)!,
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

  /**
   * Reads a frame; counts and drops anything that no node has sent on this channel.
   * @param channel the name of the channel that it was sent on
   */
  read(text: string, channel: string): BusFrame | UnknownFrame | undefined {
    const frame = text.length > this.maxBytes ? undefined : decodeFrame(text);
    if (frame === undefined || this.isForged(frame)) {
      this.stats.ignored += 1;
      return undefined;
    }
    const verdict = this.signer ? this.signer.check(channel, text, frame) : 'good';
    if (verdict === 'good') return frame;
    this.#refuse(verdict);
    return undefined;
  }

  readonly hear = (text: string, channel: string, partition: number, isJoined: boolean): void => {
    const frame = this.read(text, channel);
    if (frame === undefined) return;
    if (this.#isNew(frame, partition)) this.#take(frame, partition, isJoined);
    else this.stats.repeated += 1;
  };

  /**
   * True for publications and news of presence, too: their positions in their topic show whether they are duplicates. Scripts publish
   * them, perhaps after later frames of the node, and a forged one, which no node has signed, must not silence other topics.
   */
  #isNew(frame: BusFrame | UnknownFrame, partition: number): boolean {
    return isPlaced(frame) || this.#heard.isNew(frame.origin, partition, frame.sequence);
  }

  #refuse(verdict: Exclude<SignatureVerdict, 'good'>): void {
    const kind = verdict === 'missing' ? 'unsigned' : 'wronglySigned';
    this.stats[kind] += 1;
    if (this.stats[kind] === 1) this.#logger.warn(REFUSED[kind]);
  }
}

const REFUSED = {
  unsigned:
    'Dropped a frame without a signature (said once): a node without a secret, or somebody else who may publish to this Redis. ' +
    'During a deploy: redisBackend({ secret: { acceptUnsigned: true } })',
  wronglySigned:
    'Dropped a frame with a wrong signature (said once): a node with another secret, or somebody else who may publish to this ' +
    'Redis. During a rotation: redisBackend({ secret: { accept: [] } })',
};

/** True for a frame with the position that a script has given to it in its topic. */
function isPlaced(frame: BusFrame | UnknownFrame): boolean {
  if (frame.kind !== 'envelope') return false;
  const { content } = frame.envelope;
  return content.kind === 'message' ? content.position !== undefined : 'at' in content && content.at !== undefined;
}

function ignore(): void {}

/** The error for callers whose message exceeds the size limit. */
export function tooLarge(limit: number): RealtimeError {
  return new RealtimeError('LIMIT_EXCEEDED', `The message exceeds the ${limit} bytes that may be sent over Redis.`);
}
