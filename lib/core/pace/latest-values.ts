/** The latest value of a key. */
export interface LatestValue<V> {
  readonly key: string;
  readonly value: V;
  /** The number of the change that set it. Changes are numbered from 1. */
  readonly change: number;
  /** The next value in the order of change. */
  readonly newer: LatestValue<V> | undefined;
}

interface Link<V> extends LatestValue<V> {
  value: V;
  change: number;
  bytes: number;
  newer: Link<V> | undefined;
  older: Link<V> | undefined;
}

/**
 * The latest value of each key, in the order of the last change. A reader has to remember nothing but the number of a change to
 * be given what has changed since.
 */
export class LatestValues<V> {
  readonly #byKey = new Map<string, Link<V>>();
  #oldest: Link<V> | undefined;
  #newest: Link<V> | undefined;
  #last = 0;
  #bytes = 0;

  /** The number of the latest change. */
  get last(): number {
    return this.#last;
  }

  /** The number of keys. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The size of all values, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Replaces the value of a key. @param bytes its size */
  set(key: string, value: V, bytes: number): void {
    const known = this.#byKey.get(key);
    if (known) this.#remove(known);
    const link: Link<V> = { key, value, change: ++this.#last, bytes, newer: undefined, older: this.#newest };
    if (this.#newest) this.#newest.newer = link;
    else this.#oldest = link;
    this.#newest = link;
    this.#byKey.set(key, link);
    this.#bytes += bytes;
  }

  /** The first value that was set after a change; the others follow it. The cost grows with their number only. */
  after(change: number): LatestValue<V> | undefined {
    let found: Link<V> | undefined;
    for (let link = this.#newest; link && link.change > change; link = link.older) found = link;
    return found;
  }

  /**
   * Returns the change that must have been seen before no more than `maxBytes` are left; 0 if that is so already.
   * @param maxBytes in bytes
   */
  leaving(maxBytes: number): number {
    let bytes = 0;
    for (let link = this.#newest; link; link = link.older) {
      bytes += link.bytes;
      if (bytes > maxBytes) return link.change;
    }
    return 0;
  }

  /** Forgets the values that were not set after a change. */
  forget(change: number): void {
    for (let link = this.#oldest; link && link.change <= change; link = this.#oldest) this.#remove(link);
  }

  #remove(link: Link<V>): void {
    const { older, newer } = link;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    this.#byKey.delete(link.key);
    this.#bytes -= link.bytes;
  }
}
