/** The least time by which a lease must have vanished early, in milliseconds: clocks of two machines do not run at quite the same pace. */
const MARGIN_MS = 100;

/**
 * The leases of other nodes, as a node has read them. A lease that vanishes before its end was not given up: the data were lost. Its
 * node then has a grace period to announce itself again, whatever was left of the lease; until then it is missing.
 */
export class HeldLeases {
  /** When each listed lease ends. */
  #listed: ReadonlyMap<string, number> = new Map();
  /** Until when each missing node is waited for. */
  readonly #missing = new Map<string, number>();
  /** When nodes have said that they end. */
  readonly #ended = new Map<string, number>();

  /** @param graceMs the time for a node to announce itself after its lease has vanished, in milliseconds */
  constructor(private readonly graceMs: number) {}

  /**
   * Takes in what was read.
   * @param remainingMs of each live node
   * @param askedAt when the request was sent, in milliseconds of this process: no lease ends earlier than by this time
   * @param now when the answer arrived
   */
  read(remainingMs: ReadonlyMap<string, number>, askedAt: number, now: number): void {
    for (const [id, until] of this.#listed) {
      if (until > now + MARGIN_MS && !remainingMs.has(id)) this.#missing.set(id, Math.max(until, now + this.graceMs));
    }
    for (const id of remainingMs.keys()) this.#missing.delete(id);
    this.#listed = new Map(Array.from(remainingMs, ([id, ms]) => [id, askedAt + ms]));
    for (const [id, at] of this.#ended) if (at < askedAt) this.#ended.delete(id);
  }

  /** True if a node has said that it ends since a request was sent: the answer may still list it. */
  hasEndedSince(id: string, askedAt: number): boolean {
    return (this.#ended.get(id) ?? -Infinity) >= askedAt;
  }

  /** Forgets a node that says that it ends. */
  end(id: string, now: number): void {
    this.#ended.set(id, now);
    this.#missing.delete(id);
    this.#listed = new Map([...this.#listed].filter(([other]) => other !== id));
  }

  /** True while a node is missing. */
  isAnyMissing(now: number): boolean {
    for (const [id, until] of this.#missing) {
      if (until > now) return true;
      this.#missing.delete(id);
    }
    return false;
  }
}
