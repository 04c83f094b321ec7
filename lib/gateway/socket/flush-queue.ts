import { Logger } from '@nestjs/common';
import { FrameBatch } from './frame-batch.js';

const logger = new Logger('RealtimeGateway');

/** Something with frames to write. */
export interface Flushable {
  flush(): void;
}

/**
 * Gathers the sockets that got frames in this turn of the event loop and has each write them at once when the turn ends:
 * one system call for a socket, however many frames. `setImmediate` runs right after the sockets were read, so nothing
 * waits for anything but the work that is under way anyway.
 */
export class FlushQueue {
  #empty = FrameBatch.empty();
  #waiting: Flushable[] = [];
  #spare: Flushable[] = [];
  #scheduled = false;

  /** Where the parcels of this turn begin. */
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

  /** One that fails must not keep the others from being written to. */
  #write(socket: Flushable): void {
    try {
      socket.flush();
    } catch (error) {
      logger.error('A connection could not be written to', (error as Error)?.stack);
    }
  }
}
