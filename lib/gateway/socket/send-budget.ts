/** A socket whose peer is behind. */
export interface Backlogged {
  /** The number of bytes queued for the peer. */
  readonly waitingBytes: number;
  /** Terminates the socket of a slow consumer. */
  giveUp(): void;
}

/** The share of the budget that may stay in use after slow consumers were disconnected. */
const RELIEF = 0.9;

/** Bounds the bytes that wait for all sockets of a node. */
export class SendBudget {
  readonly #backlogs = new Map<Backlogged, number>();
  #total = 0;

  constructor(private readonly maxBytes: number) {}

  /** The number of bytes that wait in all. */
  get total(): number {
    return this.#total;
  }

  /** Call it when a socket's waiting bytes may have changed. Above the bound, the sockets with the largest backlog are disconnected. */
  update(socket: Backlogged): void {
    this.#count(socket, socket.waitingBytes);
    if (this.#total <= this.maxBytes) return;
    // Sockets may have caught up since they were last counted.
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

  /** Forgets a socket that is gone, and its waiting bytes. */
  forget(socket: Backlogged): void {
    this.#count(socket, 0);
  }

  #count(socket: Backlogged, bytes: number): void {
    this.#total += bytes - (this.#backlogs.get(socket) ?? 0);
    if (bytes === 0) this.#backlogs.delete(socket);
    else this.#backlogs.set(socket, bytes);
  }
}
