import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { CLOSE_CODES, type CloseCodeName } from '../core/close-code.js';
import type { Codec } from '../ports/codec.js';
import { ConnectionSocket } from '../ports/connection-socket.js';
import type { Frame } from '../ports/frame.js';
import { textFrame } from './websocket-frame.js';
import type { Flushable, WriteBatch } from './write-batch.js';

/**
 * Writes to a `ws` socket. Frames are made elsewhere, once for all their recipients, and go straight to the TCP socket:
 * `ws.send` costs twice the user time for a frame of its own. That reaches into `ws`, and happens in this file only.
 */
export class WsConnectionSocket extends ConnectionSocket implements Flushable {
  readonly #frames: Buffer[] = [];
  #queuedBytes = 0;
  #closed = false;
  readonly #raw: Socket;

  /**
   * @param maxQueueBytes above this many bytes that the peer has not taken, `onSlow` is called
   */
  constructor(
    private readonly ws: WebSocket,
    readonly codec: Codec,
    private readonly batch: WriteBatch,
    private readonly maxQueueBytes: number,
    private readonly onSlow: () => void,
  ) {
    super();
    this.#raw = (ws as unknown as { _socket: Socket })._socket;
  }

  send(frame: Frame): void {
    if (this.#closed) return;
    const bytes = frame.bytes(textFrame);
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes + this.#raw.writableLength > this.maxQueueBytes) return this.onSlow();
    if (this.#frames.push(bytes) === 1) this.batch.add(this);
  }

  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    const raw = this.#raw;
    if (raw.writable) {
      // Corked, several frames leave in one system call.
      if (frames.length > 1) raw.cork();
      for (const bytes of frames) raw.write(bytes);
      if (frames.length > 1) raw.uncork();
    }
    this.#drop();
  }

  close(name: CloseCodeName, reason: string = CLOSE_CODES[name].reason): void {
    if (this.#closed) return;
    this.#closed = true;
    // One that does not read must not be handed still more.
    if (name === 'SLOW') this.#drop();
    else this.flush();
    this.ws.close(CLOSE_CODES[name].code, reason);
  }

  /** Ends the socket at once, without the peer's part in it; what was not taken yet is dropped. */
  terminate(): void {
    this.#closed = true;
    this.#drop();
    this.ws.terminate();
  }

  #drop(): void {
    this.#frames.length = 0;
    this.#queuedBytes = 0;
  }
}
