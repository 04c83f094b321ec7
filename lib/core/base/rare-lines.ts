/** Most kinds that are tracked separately; all further kinds count as one. */
const MAX_KINDS = 64;

/** The kind that stands for all further kinds. */
const OTHER = '';

/**
 * Decides which of many similar lines are logged: of each kind the first one, and then one per interval, with the number of those
 * that were left out.
 */
export class RareLines {
  readonly #kinds = new Map<string, { last: number; leftOut: number }>();

  /** @param intervalMs the shortest time between two lines of a kind, in milliseconds */
  constructor(private readonly intervalMs: number) {}

  /**
   * Records that there is something to log.
   * @param now the current time in milliseconds, of any clock: after one that goes back, the next line is logged
   * @returns the number of lines left out since the last one; `undefined` if this one is to be left out, too
   */
  add(kind: string, now: number): number | undefined {
    const key = this.#kinds.has(kind) || this.#kinds.size < MAX_KINDS ? kind : OTHER;
    const line = this.#kinds.get(key);
    if (line === undefined) {
      this.#kinds.set(key, { last: now, leftOut: 0 });
      return 0;
    }
    if (now >= line.last && now - line.last < this.intervalMs) {
      line.leftOut += 1;
      return undefined;
    }
    const { leftOut } = line;
    line.last = now;
    line.leftOut = 0;
    return leftOut;
  }
}
