import { FrameBatch } from './frame-batch.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeGateway');

/** A socket with frames to write. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects the sockets that were sent frames in this turn of the event loop, and flushes each when the turn ends: one system
 * call per socket, whatever the number of frames. `setImmediate` runs right after the sockets were read, so a frame waits
 * only for work that is already under way.
 */
export class FlushQueue {
  #empty = FrameBatch.empty();
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;

  /** The empty batch that the batches of this turn begin with. */
  get empty(): FrameBatch {
    return this.#empty;
  }

  add(socket: Flushable): void {
    this.#waiting.push(socket);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const sockets = this.#waiting;
    this.#waiting = this.#spare;
    this.#scheduled = false;
    this.#empty = FrameBatch.empty();
    for (const socket of sockets) this.#write(socket);
    sockets.length = 0;
    this.#spare = sockets;
  };

  /** A socket that fails must not keep the others from being flushed. */
  #write(socket: Flushable): void {
    try {
      socket.flush();
    } catch (error) {
      logger.error('A connection could not be written to', (error as Error)?.stack);
    }
  }
}
