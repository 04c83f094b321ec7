/** A socket with bytes that its peer has not taken. */
export interface Backlogged {
  /** How many bytes wait now. */
  readonly waitingBytes: number;
  /** Ends it at once, as one that reads too slowly. */
  giveUp(): void;
}

/** How full the budget may be after some were given up. */
const RELIEF = 0.9;

/** The bytes that wait to be written to all sockets of a node, and a bound on them. */
export class SendBudget {
  readonly #backlogs = new Map<Backlogged, number>();
  #total = 0;

  constructor(private readonly maxBytes: number) {}

  /** How many bytes wait in all. */
  get total(): number {
    return this.#total;
  }

  /** To be called when what waits for a socket may have changed. Beyond the bound, those furthest behind are given up. */
  update(socket: Backlogged): void {
    this.#count(socket, socket.waitingBytes);
    if (this.#total <= this.maxBytes) return;
    // Some may have caught up since they were last counted.
    for (const each of this.#backlogs.keys()) this.#count(each, each.waitingBytes);
    if (this.#total <= this.maxBytes) return;
    // Some room is made at once, or the next byte would bring us here again.
    const target = this.maxBytes * RELIEF;
    const furthestBehind = [...this.#backlogs].toSorted(([, a], [, b]) => b - a);
    for (const [each] of furthestBehind) {
      if (this.#total <= target) return;
      this.forget(each);
      each.giveUp();
    }
  }

  /** A socket is gone, and with it what waited for it. */
  forget(socket: Backlogged): void {
    this.#count(socket, 0);
  }

  #count(socket: Backlogged, bytes: number): void {
    this.#total += bytes - (this.#backlogs.get(socket) ?? 0);
    if (bytes === 0) this.#backlogs.delete(socket);
    else this.#backlogs.set(socket, bytes);
  }
}
