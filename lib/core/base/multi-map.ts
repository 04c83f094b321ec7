const NONE: ReadonlySet<string> = new Set();

/** Maps a key to a set of members; a key without members takes no memory. Mutable; one owner changes it. */
export class MultiMap {
  readonly #sets = new Map<string, Set<string>>();

  /** @returns true if the member is new */
  add(key: string, member: string): boolean {
    const members = this.#sets.get(key);
    if (members === undefined) {
      this.#sets.set(key, new Set<string>().add(member));
      return true;
    }
    if (members.has(member)) return false;
    members.add(member);
    return true;
  }

  /** @returns true if the member existed */
  remove(key: string, member: string): boolean {
    const members = this.#sets.get(key);
    if (!members?.delete(member)) return false;
    if (members.size === 0) this.#sets.delete(key);
    return true;
  }

  /** Returns the members of a key. The set belongs to the map: do not change it. */
  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? NONE;
  }

  has(key: string): boolean {
    return this.#sets.has(key);
  }

  /** The number of keys with at least one member. */
  get size(): number {
    return this.#sets.size;
  }
}
