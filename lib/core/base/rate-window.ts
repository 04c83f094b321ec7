/** The shortest time that a rate covers, in milliseconds. */
const MIN_MS = 1_500;

/** The longest time that a rate covers, in milliseconds: an older reading says little about now. */
const MAX_MS = 10_000;

/**
 * The rates of numbers that only grow, from readings that somebody takes every few seconds. Several readers get the same rates.
 */
export class RateWindow {
  #from: { readonly at: number; readonly totals: ReadonlyMap<string, number> } | undefined;
  #rates: ReadonlyMap<string, number> | undefined;

  /**
   * Takes a reading.
   * @param now the time in milliseconds
   * @param totals the present numbers
   * @returns what was added per second since the reading before, by the keys of `totals`; nothing until there is one
   */
  read(now: number, totals: ReadonlyMap<string, number>): ReadonlyMap<string, number> | undefined {
    const from = this.#from;
    const elapsed = from ? now - from.at : Infinity;
    if (elapsed >= 0 && elapsed < MIN_MS) return this.#rates;
    this.#from = { at: now, totals };
    this.#rates = undefined;
    if (from === undefined || elapsed < 0 || elapsed > MAX_MS) return undefined;
    const rateOf = (key: string, total: number) => Math.max(0, total - (from.totals.get(key) ?? 0)) / (elapsed / 1_000);
    return (this.#rates = new Map(Array.from(totals, ([key, total]) => [key, rateOf(key, total)])));
  }
}
