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

/** The functions that take the events of a socket, by the names of the events; each is called with the socket as `this`. */
export interface SocketHandlers {
  message(this: ServedWebSocket, data: Buffer, isBinary: boolean): void;
  ping(this: ServedWebSocket): void;
  pong(this: ServedWebSocket, data: Buffer): void;
  error(this: ServedWebSocket, error: Error): void;
  closing(this: ServedWebSocket): void;
  close(this: ServedWebSocket, code: number, reason: Buffer): void;
}

type Handler = (this: ServedWebSocket, first: unknown, second: unknown) => void;

/**
 * A `ws` socket that emits `closing` right before it sends its close frame, whichever side began the close: `ws` answers the
 * peer's close frame, and closes on a protocol violation, by itself. Frames can still be written at that time.
 */
export class ServedWebSocket extends WebSocket {
  /** Called in place of listeners. All sockets share one object, while listeners of its own would cost each socket time and memory. */
  handlers: SocketHandlers | undefined;

  override emit(event: string, first?: unknown, second?: unknown): boolean {
    const handler = (this.handlers as Readonly<Record<string, Handler | undefined>> | undefined)?.[event];
    if (handler === undefined) return super.emit(event, first, second);
    handler.call(this, first, second);
    return true;
  }

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
