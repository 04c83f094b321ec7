import { WebSocket } from 'ws';

/**
 * A `ws` socket that emits `closing` right before it sends its close frame, whichever side began the close: `ws` answers the
 * peer's close frame, and closes on a protocol violation, by itself. Frames can still be written at that time.
 */
export class ServedWebSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) this.emit('closing');
    super.close(code, reason);
  }
}
