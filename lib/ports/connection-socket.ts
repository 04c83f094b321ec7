import type { CloseCodeName } from '../core/protocol/close-code.js';
import type { Codec } from './codec.js';
import type { Frame } from './frame.js';

/**
 * The sending side of one connection's WebSocket.
 *
 * **Promised by an implementation:** frames leave in the order of `send`, each as a whole or not at all. No method throws
 * or blocks. After the socket has begun to close, frames are dropped.
 */
export abstract class ConnectionSocket {
  /** The codec for pushes to this client. */
  abstract readonly codec: Codec;
  /**
   * Sends a frame, which is usually shared with other sockets. It may leave together with others at the end of the turn.
   * @param isAnswer true for what this client has asked for: all that was sent to it may leave before what other sockets were sent
   */
  abstract send(frame: Frame, isAnswer?: boolean): void;
  /**
   * Returns nothing while the client takes what it is sent, else a promise for when all that waits has left. It is never fulfilled
   * when the connection ends before. Default: nothing ever waits.
   */
  written(): Promise<void> | undefined {
    return undefined;
  }
  /** False if so much waits for the client that a frame of this size should be left out, if it may be. Default: true. */
  hasRoomFor(_bytes: number): boolean {
    return true;
  }
  /** Begins to close after the frames sent before have left. `reason` is prose; default: the text of the code. */
  abstract close(code: CloseCodeName, reason?: string): void;
}
