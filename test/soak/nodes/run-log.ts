/** What happened in a run, in its order, for the reader of a finding. */
export class RunLog {
  readonly entries: { readonly at: number; readonly what: string }[] = [];
  readonly #start = performance.now();

  /** Milliseconds since the run began. */
  now(): number {
    return performance.now() - this.#start;
  }

  /** The same, of a time in milliseconds since 1970 on this machine. */
  momentOf(unixMs: number): number {
    return unixMs - performance.timeOrigin - this.#start;
  }

  note(what: string): void {
    this.entries.push({ at: this.now(), what });
  }

  /** The entries around a moment, as lines. */
  around(at: number, beforeMs = 8_000, afterMs = 4_000): readonly string[] {
    return this.entries
      .filter((entry) => entry.at >= at - beforeMs && entry.at <= at + afterMs)
      .sort((a, b) => a.at - b.at)
      .map((entry) => `${(entry.at / 1_000).toFixed(3)} s  ${entry.what}`);
  }
}
