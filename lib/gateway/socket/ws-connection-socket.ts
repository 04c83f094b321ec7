import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCodeName } from '../../core/protocol/close-code.js';
import type { Codec } from '../../ports/codec.js';
import { ConnectionSocket } from '../../ports/connection-socket.js';
import type { Frame, FrameMaker } from '../../ports/frame.js';
import type { FrameBatch } from './frame-batch.js';
import type { Backlogged, SendBudget } from './send-budget.js';
import { textFrame } from './websocket-frame.js';
import type { Flushable, FlushQueue } from './flush-queue.js';

/** From this many bytes on, what was sent in one turn is written at once: it fills system calls by itself. */
const LARGE_BYTES = 65_536;

/** The TCP socket below, with the part of Node that tells how much of a write the system has not taken yet. */
type RawSocket = Socket & { readonly _handle?: { readonly writeQueueSize?: number } | null };

/** What all sockets of a node that speak one protocol write through; they share the budget with the others. */
export interface WriteShare {
  readonly batch: FlushQueue;
  readonly budget: SendBudget;
  /** Most bytes that may wait for one socket. */
  readonly maxQueueBytes: number;
  /** Makes frames for those that have agreed to compression. */
  readonly compressedFrame: FrameMaker;
}

/**
 * Writes to a `ws` socket. Frames are made elsewhere, once for all their recipients, and go straight to the TCP socket:
 * `ws.send` costs twice the user time for a frame of its own. That reaches into `ws` and Node, and happens in this file only.
 */
export class WsConnectionSocket extends ConnectionSocket implements Flushable, Backlogged {
  readonly #raw: RawSocket;
  readonly #makeFrame: FrameMaker;
  /** What was sent and not written yet. */
  #parcel: FrameBatch | undefined;
  #closed = false;
  #held = false;
  /** True while bytes of ours are counted in the budget. */
  #isBehind = false;
  #progress = 0;
  #stalledTicks = 0;

  /** @param owner told when the peer does not take what is written to it */
  constructor(
    private readonly ws: WebSocket,
    readonly codec: Codec,
    private readonly share: WriteShare,
    private readonly owner: { tooSlow(): void },
  ) {
    super();
    this.#raw = (ws as unknown as { readonly _socket: RawSocket })._socket;
    // Compression is the one extension there is; empty when it was not agreed on.
    this.#makeFrame = ws.extensions === '' ? textFrame : share.compressedFrame;
  }

  get waitingBytes(): number {
    const kept = this.#held ? (this.#parcel?.length ?? 0) : 0;
    return this.#raw.writableLength + kept;
  }

  send(frame: Frame): void {
    if (!this.#closed) this.#enqueue(frame.bytes(this.#makeFrame));
  }

  /** Keeps what is sent until {@link release}. */
  hold(): void {
    this.flush();
    this.#held = true;
  }

  /** Lets go what was kept, behind what `first` sends. */
  release(first: () => void): void {
    if (!this.#held) return first();
    const kept = this.#parcel;
    this.#parcel = undefined;
    this.#held = false;
    if (kept === undefined) return first();
    this.#count(this.#raw.writableLength);
    first();
    // That may have been too much for the peer.
    if (!this.#closed) this.#enqueue(kept.bytes);
  }

  flush(): void {
    const parcel = this.#parcel;
    // What was sent before the hold may have left a place in the batch.
    if (this.#held || parcel === undefined) return;
    this.#parcel = undefined;
    const raw = this.#raw;
    if (raw.writable) raw.write(parcel.bytes);
    const waiting = raw.writableLength;
    if (waiting === 0) return;
    this.#count(waiting);
    // One message may be larger than the queue: a peer that had taken everything before is not slow.
    if (waiting > parcel.length && waiting > this.share.maxQueueBytes && !this.#closed) this.owner.tooSlow();
  }

  /** Says whether the peer has taken nothing of what waits for it for that many calls in a row; to be called at a steady pace. */
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
    // One that does not read must not be handed still more.
    if (name === 'SLOW') this.#parcel = undefined;
    this.closing();
    this.ws.close(CLOSE_CODES[name].code, reason);
  }

  /** To be called before a close frame is sent, by whomever: what was sent goes before it, and nothing behind it. */
  closing(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#held) return this.flush();
    // Nothing comes before the welcome.
    this.#parcel = undefined;
    this.#count(this.#raw.writableLength);
  }

  giveUp(): void {
    this.owner.tooSlow();
    this.terminate();
  }

  /** Ends the socket at once, without the peer's part in it; what was not taken yet is dropped. */
  terminate(): void {
    this.#closed = true;
    this.#parcel = undefined;
    this.ws.terminate();
    this.share.budget.forget(this);
  }

  /** The socket is gone. */
  closed(): void {
    this.#closed = true;
    this.#parcel = undefined;
    this.share.budget.forget(this);
  }

  #enqueue(bytes: Buffer): void {
    const before = this.#parcel;
    const parcel = (this.#parcel = (before ?? this.share.batch.empty).with(bytes));
    if (this.#held) {
      this.share.budget.update(this);
      if (parcel.length > this.share.maxQueueBytes) this.owner.tooSlow();
      return;
    }
    if (before === undefined) this.share.batch.add(this);
    if (parcel.length >= LARGE_BYTES) this.flush();
  }

  #count(waiting: number): void {
    this.#isBehind = waiting > 0;
    this.share.budget.update(this);
  }
}
