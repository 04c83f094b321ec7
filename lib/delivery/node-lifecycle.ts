import { Injectable } from '@nestjs/common';
import { RealtimeError } from '../errors/realtime.error.js';

const TOO_EARLY =
  'RealtimeModule is not ready yet, so nothing was sent or asked. Use RealtimeService from onApplicationBootstrap() on, ' +
  'not in a constructor or onModuleInit().';

const TOO_LATE = 'The application has been closed, so nothing was sent or asked.';

/** The phase of this node: starting until it is attached to the bus and its handlers are known, then running, then closed. */
@Injectable()
export class NodeLifecycle {
  #phase: 'starting' | 'running' | 'closed' = 'starting';

  get phase(): 'starting' | 'running' | 'closed' {
    return this.#phase;
  }

  get isRunning(): boolean {
    return this.#phase === 'running';
  }

  /** Marks the node as running: it may send messages and queries from now on. */
  started(): void {
    if (this.#phase === 'starting') this.#phase = 'running';
  }

  /** Marks the node as closed: it has left the bus, or is about to. */
  closed(): void {
    this.#phase = 'closed';
  }

  /** @throws RealtimeError `UNAVAILABLE` unless the node is running */
  assertRunning(): void {
    if (this.#phase === 'running') return;
    throw new RealtimeError('UNAVAILABLE', this.#phase === 'starting' ? TOO_EARLY : TOO_LATE);
  }
}
