/** The time for which a refusal counts as recent, in milliseconds. */
const RECENT_MS = 30_000;

const NONE: readonly string[] = [];

/** Finds out which kinds of refusals are recent, from counts that only grow. */
export class RecentRefusals {
  readonly #seen = new Map<string, { count: number; growthAt: number }>();

  /**
   * Compares the counts with those of the last call.
   * @param now milliseconds of a clock that does not go back
   * @returns the kinds that grew within the last 30 seconds
   */
  update(counts: ReadonlyMap<string, number>, now: number): readonly string[] {
    if (counts.size === 0) return NONE;
    const recent: string[] = [];
    for (const [kind, count] of counts) {
      const before = this.#seen.get(kind);
      const growthAt = before !== undefined && before.count === count ? before.growthAt : now;
      this.#seen.set(kind, { count, growthAt });
      if (now - growthAt < RECENT_MS) recent.push(kind);
    }
    return recent;
  }
}
