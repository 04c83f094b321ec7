/** Most lapses that are remembered apart; the oldest two are joined then. */
const MAX_LAPSES = 32;

/** When a node's own lease may have been over, by what the node knows. Times are in milliseconds of this process. */
export class OwnLease {
  #heldUntil: number | undefined;
  readonly #lapses: (readonly [from: number, until: number])[] = [];

  constructor(private readonly ttlMs: number) {}

  /**
   * Records that it was refreshed.
   * @param askedAt when the request was sent
   * @param now when the answer arrived
   */
  refreshed(askedAt: number, now: number): void {
    if (this.#heldUntil !== undefined && this.#heldUntil < now) {
      this.#lapses.push([this.#heldUntil, now]);
      if (this.#lapses.length > MAX_LAPSES) this.#joinOldest();
    }
    this.#heldUntil = askedAt + this.ttlMs;
  }

  #joinOldest(): void {
    const [[from], [, until]] = this.#lapses.splice(0, 2) as [readonly [number, number], readonly [number, number]];
    this.#lapses.unshift([from, until]);
  }

  /** Returns the first moment from a time on at which it may have been over: in the future while it holds. */
  overFrom(since: number): number {
    const lapse = this.#lapses.find(([, until]) => until > since);
    return Math.max(since, lapse ? lapse[0] : (this.#heldUntil ?? -Infinity));
  }
}
