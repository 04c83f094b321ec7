import { WebSocket } from 'ws';

/**
 * A socket of `ws` that says when it is about to send its close frame, whoever has begun: `ws` answers a peer's, and ends a
 * peer that breaks the protocol, by itself. It emits `closing` then, while there can still be written.
 */
export class ServedWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.emit('closing');
    super.close(code, reason);
  }
}
