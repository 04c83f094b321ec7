/** The latest entries of one kind, newest first, and how many there have been. */
export interface RecentKind<T> {
  readonly kind: string;
  readonly count: number;
  readonly last: readonly T[];
}

/** The kind that stands for all kinds beyond the limit. */
export const OTHER_KIND = '_other';

/** Keeps the latest entries of each kind, so that a flood of one kind does not displace the others. */
export class RecentKinds<T> {
  readonly #kinds = new Map<string, { count: number; readonly last: T[] }>();

  /**
   * @param maxKinds most kinds that are kept apart; all further kinds count as `_other`
   * @param maxEach most entries of one kind
   */
  constructor(
    private readonly maxKinds: number,
    private readonly maxEach: number,
  ) {}

  add(kind: string, entry: T): void {
    const recent = this.#of(this.#kinds.has(kind) || this.#kinds.size < this.maxKinds ? kind : OTHER_KIND);
    recent.count += 1;
    recent.last.unshift(entry);
    if (recent.last.length > this.maxEach) recent.last.pop();
  }

  /** A copy of what is kept. */
  read(): readonly RecentKind<T>[] {
    return Array.from(this.#kinds, ([kind, { count, last }]) => ({ kind, count, last: [...last] }));
  }

  #of(kind: string): { count: number; readonly last: T[] } {
    let recent = this.#kinds.get(kind);
    if (recent === undefined) this.#kinds.set(kind, (recent = { count: 0, last: [] }));
    return recent;
  }
}
