import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { WebSocket } from 'ws';

/** The time limit for a peer that is closed for abuse to end its side, in milliseconds. */
const DEADLINE_MS = 1_000;

/** The internals of `ws` that read: the TCP socket, the parser with the bytes that it has not parsed yet, and what inflates. */
interface Internals {
  readonly _socket: Socket;
  readonly _receiver: Writable & { _buffers: Buffer[]; _bufferedBytes: number; _maxPayload: number };
  readonly _extensions: { readonly 'permessage-deflate'?: { _maxPayload: number } };
}

/**
 * A `ws` socket that emits `closing` right before it sends its close frame, whichever side began the close: `ws` answers the
 * peer's close frame, and closes on a protocol violation, by itself. Frames can still be written at that time.
 */
export class ServedWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.emit('closing');
    super.close(code, reason);
  }

  /** Sets the maximum size of a message, in bytes, in place of that of the server; above it the socket closes with 1009. */
  limitMessages(bytes: number): void {
    const { _receiver: receiver, _extensions: extensions } = this as unknown as Internals;
    const deflate = extensions['permessage-deflate'];
    // In `ws`, 0 means unlimited.
    receiver._maxPayload = Number.isFinite(bytes) ? bytes : 0;
    if (deflate) deflate._maxPayload = receiver._maxPayload;
  }

  /**
   * Closes the socket of a peer that floods: none of its bytes are parsed or inflated any more, neither those that were read
   * already nor later ones. `ws` would parse everything for the five seconds that it waits for the peer's close frame. The bytes
   * are read and dropped, since otherwise TCP would reset the connection and the peer could lose the close frame.
   */
  closeDeaf(code: number, reason: string): void {
    this.close(code, reason);
    const { _socket: socket, _receiver: receiver } = this as unknown as Internals;
    receiver._buffers = [];
    receiver._bufferedBytes = 0;
    receiver._write = (_chunk, _encoding, done) => done();
    socket.removeAllListeners('data');
    socket.resume();
    socket.end();
    const deadline = setTimeout(() => socket.destroy(), DEADLINE_MS);
    socket.once('close', () => clearTimeout(deadline));
  }
}
