import type { CloseCodeName } from '../core/protocol/close-code.js';
import type { Codec } from './codec.js';
import type { Frame } from './frame.js';

/**
 * The writing side of one connection's WebSocket.
 *
 * **Promised by an implementation:** frames leave in the order of `send`, whole or not at all. Neither method throws or
 * waits: after the socket has begun to close, frames are dropped.
 */
export abstract class ConnectionSocket {
  /** How pushes to this client are written. */
  abstract readonly codec: Codec;
  /** Hands over a frame, usually shared with other sockets. It may leave together with others at the end of the turn. */
  abstract send(frame: Frame): void;
  /** Begins to close, after what was sent has left. `reason` is prose; the code's own text is used when it is left out. */
  abstract close(code: CloseCodeName, reason?: string): void;
}
