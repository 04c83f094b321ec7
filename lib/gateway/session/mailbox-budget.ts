import { ByteBudget, type Backlogged } from '../socket/byte-budget.js';

/** A connection whose commands wait. */
export interface Waiting extends Backlogged {
  /** True while decoded commands wait. Frames that wait to be decoded do not count: they wait for the end of a pause. */
  readonly hasWaitingCommands: boolean;
  pauseReading(reason: 'memory'): void;
  resumeReading(reason: 'memory'): void;
}

/** The share of the budget above which connections with waiting commands are not read. */
const HIGH = 0.75;
/** The share at which they are read again. */
const LOW = 0.5;

/**
 * Bounds the bytes that all clients of a node have sent and the node has not handled yet. Near the bound, a connection is read
 * only while none of its commands wait, so that connections without a backlog are still served. Above the bound, the
 * connections with the most waiting bytes are ended.
 */
export class MailboxBudget {
  readonly #budget: ByteBudget;
  readonly #paused = new Set<Waiting>();

  constructor(private readonly maxBytes: number) {
    this.#budget = new ByteBudget(maxBytes);
  }

  /** The number of bytes that wait in all. */
  get total(): number {
    return this.#budget.total;
  }

  /** Call it when a connection's waiting bytes have changed. */
  update(connection: Waiting): void {
    this.#budget.update(connection);
    if (!connection.hasWaitingCommands) this.#resume(connection);
    else if (this.total > this.maxBytes * HIGH) this.#pause(connection);
    if (this.#paused.size > 0 && this.total <= this.maxBytes * LOW) for (const each of this.#paused) this.#resume(each);
  }

  /** Forgets a connection that is gone. */
  forget(connection: Waiting): void {
    this.#paused.delete(connection);
    this.#budget.forget(connection);
  }

  #pause(connection: Waiting): void {
    if (this.#paused.has(connection)) return;
    this.#paused.add(connection);
    connection.pauseReading('memory');
  }

  #resume(connection: Waiting): void {
    if (this.#paused.delete(connection)) connection.resumeReading('memory');
  }
}
