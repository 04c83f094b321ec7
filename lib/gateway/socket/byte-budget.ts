/** A connection for which bytes wait: to be sent to it, or what it sent, to be handled. */
export interface Backlogged {
  /** The number of bytes that wait. */
  readonly waitingBytes: number;
  /** Ends the connection, because of all it has the most bytes waiting. */
  giveUp(): void;
}

/** The share of the budget that may stay in use after connections were ended. */
const RELIEF = 0.9;

/** Bounds the bytes that wait in one direction, over all connections of a node. */
export class ByteBudget {
  readonly #backlogs = new Map<Backlogged, number>();
  #total = 0;

  constructor(readonly maxBytes: number) {}

  /** The number of bytes that wait in all. */
  get total(): number {
    return this.#total;
  }

  /** Call it when a connection's waiting bytes may have changed. Above the bound, the connections with the largest backlog are ended. */
  update(socket: Backlogged): void {
    this.#count(socket, socket.waitingBytes);
    if (this.#total <= this.maxBytes) return;
    // Connections may have caught up since they were last counted.
    for (const each of this.#backlogs.keys()) this.#count(each, each.waitingBytes);
    if (this.#total <= this.maxBytes) return;
    // Without headroom the next byte would exceed the budget again.
    const target = this.maxBytes * RELIEF;
    const furthestBehind = [...this.#backlogs].toSorted(([, a], [, b]) => b - a);
    for (const [each] of furthestBehind) {
      if (this.#total <= target) return;
      this.forget(each);
      each.giveUp();
    }
  }

  /** Forgets a connection that is gone, and its waiting bytes. */
  forget(socket: Backlogged): void {
    this.#count(socket, 0);
  }

  #count(socket: Backlogged, bytes: number): void {
    this.#total += bytes - (this.#backlogs.get(socket) ?? 0);
    if (bytes === 0) this.#backlogs.delete(socket);
    else this.#backlogs.set(socket, bytes);
  }
}
