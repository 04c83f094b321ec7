import type { Socket } from 'node:net';
import { CLOSE_CODES, isForAbuse, type CloseCodeName } from '../../core/protocol/close-code.js';
import type { Codec } from '../../ports/codec.js';
import { ConnectionSocket } from '../../ports/connection-socket.js';
import type { Frame, FrameMaker } from '../../ports/frame.js';
import type { FrameBatch } from './frame-batch.js';
import type { ProtocolMeter } from '../../delivery/node-meter.js';
import type { Backlogged, ByteBudget } from './byte-budget.js';
import type { ServedWebSocket } from './served-web-socket.js';
import { messageFrame } from './websocket-frame.js';
import type { Flushable, FlushQueue } from './flush-queue.js';

/** From this many bytes on, the frames of one turn are written at once: batching would not save system calls. */
const LARGE_BYTES = 65_536;

/** From this many bytes on, the frames of one turn are written before it is judged whether the peer takes more. */
const JUDGED_BYTES = 16_384;

/** The share of the send queue that may be filled with what may be left out: the rest is for what may not. */
const OPTIONAL_SHARE = 0.5;

const NOTHING = Buffer.alloc(0);

/** The TCP socket, with the internal field of Node that counts the bytes not yet accepted by the operating system. */
type RawSocket = Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };

/** The writing resources that all sockets of one codec share. The budget is shared by all sockets of the node. */
export interface WriteShare {
  readonly batch: FlushQueue;
  readonly budget: ByteBudget;
  /** Most bytes that may wait for one socket. */
  readonly maxQueueBytes: number;
  /** Makes frames for sockets that negotiated compression. */
  readonly compressedFrame: FrameMaker;
  readonly meter: ProtocolMeter;
}

/**
 * Writes to a `ws` socket. Frames are encoded elsewhere, once for all their recipients, and go straight to the TCP socket:
 * `ws.send` would make its own frame, at twice the user time. This relies on internals of `ws` and Node, in this file only.
 */
export class WsConnectionSocket extends ConnectionSocket implements Flushable, Backlogged {
  readonly #raw: RawSocket;
  readonly #makeFrame: FrameMaker;
  /** Frames that were sent and not written yet. */
  #unwritten: FrameBatch | undefined;
  #closed = false;
  #held = false;
  /** True while frames need no place in the flush queue, because a flush is certain. */
  #awaitsFlush = false;
  /** True while the socket has its place among those with an answer in the flush queue. */
  #isFirst = false;
  /** True while this socket's bytes are counted in the budget. */
  #isBehind = false;
  /** Settles with the next drain; one for all that wait. */
  #drained: Promise<void> | undefined;
  /** Settles when all that waits has left; one for all that wait. */
  #written: Promise<void> | undefined;
  #progress = 0;
  #stalledTicks = 0;

  /** @param owner notified when the peer is a slow consumer */
  constructor(
    private readonly ws: ServedWebSocket,
    readonly codec: Codec,
    private readonly share: WriteShare,
    private readonly owner: { tooSlow(): void },
  ) {
    super();
    this.#raw = (ws as unknown as { readonly _socket: RawSocket })._socket;
    // Compression is the only extension; the field is empty if it was not negotiated.
    this.#makeFrame = ws.extensions === '' ? messageFrame : share.compressedFrame;
  }

  get waitingBytes(): number {
    const kept = this.#held ? (this.#unwritten?.length ?? 0) : 0;
    return this.#raw.writableLength + kept;
  }

  send(frame: Frame, isAnswer = false): void {
    if (!this.#closed) this.#enqueue(frame.bytes(this.#makeFrame), isAnswer);
  }

  /** Frames wait for the next {@link flush}, which the caller promises to make in this turn. */
  awaitFlush(): void {
    this.#awaitsFlush = true;
  }

  /** Keeps frames until {@link release}. */
  hold(): void {
    this.flush();
    this.#held = true;
  }

  /** Sends what `first` sends, and the kept frames behind it. */
  release(first: () => void): void {
    if (!this.#held) return first();
    const kept = this.#unwritten;
    this.#unwritten = undefined;
    this.#held = false;
    if (kept === undefined) return first();
    this.#count(this.#raw.writableLength);
    first();
    // The first frames may have exceeded the send queue.
    if (!this.#closed) this.#enqueue(kept.bytes, false);
  }

  drained(): Promise<void> | undefined {
    const raw = this.#raw;
    if (!raw.writableNeedDrain || raw.writableLength === 0) return undefined;
    this.#drained ??= new Promise((resolve) =>
      raw.once('drain', () => {
        this.#drained = undefined;
        resolve();
      }),
    );
    return this.#drained;
  }

  override written(): Promise<void> | undefined {
    if (this.#unwritten !== undefined && this.#unwritten.length >= JUDGED_BYTES) this.flush();
    const raw = this.#raw;
    if (raw.writableLength === 0) return undefined;
    // Below the high-water mark there is no drain event; an empty write is confirmed behind all others.
    this.#written ??= new Promise((resolve) => {
      if (this.#closed || !raw.writable) return;
      raw.write(NOTHING, () => {
        this.#written = undefined;
        resolve();
      });
    });
    return this.#written;
  }

  override hasRoomFor(bytes: number): boolean {
    const waiting = this.#raw.writableLength + (this.#unwritten?.length ?? 0);
    return waiting === 0 || waiting + bytes <= this.share.maxQueueBytes * OPTIONAL_SHARE;
  }

  flush(): void {
    this.#awaitsFlush = false;
    this.#isFirst = false;
    const batch = this.#unwritten;
    // The socket may have entered the flush queue before the hold.
    if (this.#held || batch === undefined) return;
    this.#unwritten = undefined;
    const raw = this.#raw;
    if (raw.writable) {
      raw.write(batch.bytes);
      // The response to the upgrade request has waited for the welcome.
      if (raw.writableCorked > 0) raw.uncork();
      this.share.meter.bytesSent += batch.length;
    }
    const waiting = raw.writableLength;
    if (waiting === 0) return;
    this.#count(waiting);
    // A single message may be larger than the send queue: a peer without an earlier backlog is not slow.
    if (waiting > batch.length && waiting > this.share.maxQueueBytes && !this.#closed) this.owner.tooSlow();
  }

  /** True if the backlog has made no progress for more than `ticks` calls in a row. Call it periodically. */
  isStalled(ticks: number): boolean {
    if (!this.#isBehind) return false;
    const waiting = this.#raw.writableLength;
    this.#count(waiting);
    const progress = this.#raw.bytesWritten - waiting - (this.#raw._handle?.writeQueueSize ?? 0);
    this.#stalledTicks = waiting > 0 && progress === this.#progress ? this.#stalledTicks + 1 : 0;
    this.#progress = progress;
    return this.#stalledTicks > ticks;
  }

  close(name: CloseCodeName, reason: string = CLOSE_CODES[name].reason): void {
    if (this.#closed) return;
    // A slow consumer must not receive further frames.
    if (name === 'SLOW') this.#unwritten = undefined;
    this.closing();
    if (isForAbuse(name)) this.ws.closeDeaf(CLOSE_CODES[name].code, reason);
    else this.ws.close(CLOSE_CODES[name].code, reason);
  }

  /** Called before this side sends or answers a close frame: earlier frames are written first, and none follows. */
  closing(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#held) return this.flush();
    // No frame goes before the welcome.
    this.#unwritten = undefined;
    this.#count(this.#raw.writableLength);
  }

  giveUp(): void {
    this.owner.tooSlow();
    this.terminate();
  }

  /** Ends the socket at once, without a closing handshake; bytes that were not sent are dropped. */
  terminate(): void {
    this.#closed = true;
    this.#unwritten = undefined;
    this.ws.terminate();
    this.share.budget.forget(this);
  }

  /** The socket is gone. */
  closed(): void {
    this.#closed = true;
    this.#unwritten = undefined;
    this.share.budget.forget(this);
  }

  #enqueue(bytes: Buffer, isAnswer: boolean): void {
    const before = this.#unwritten;
    const batch = (this.#unwritten = (before ?? this.share.batch.empty).with(bytes));
    if (this.#held) {
      this.share.budget.update(this);
      if (batch.length > this.share.maxQueueBytes) this.owner.tooSlow();
      return;
    }
    if (!this.#awaitsFlush) this.#queue(before === undefined, isAnswer);
    if (batch.length >= LARGE_BYTES) this.flush();
  }

  /** Takes a place in the flush queue, unless the socket has one already. */
  #queue(isNew: boolean, isAnswer: boolean): void {
    const { batch } = this.share;
    if (isAnswer && !this.#isFirst) {
      this.#isFirst = true;
      batch.addFirst(this);
    } else if (isNew && !isAnswer) batch.add(this);
  }

  #count(waiting: number): void {
    this.#isBehind = waiting > 0;
    this.share.budget.update(this);
  }
}
