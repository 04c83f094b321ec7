const NONE: ReadonlySet<string> = new Set();

/** A key to a set of members; a key without members leaves nothing behind. Changed in place by its one owner. */
export class MultiMap {
  readonly #sets = new Map<string, Set<string>>();

  /** @returns true when the member was not there before */
  add(key: string, member: string): boolean {
    const members = this.#sets.get(key);
    if (members === undefined) {
      this.#sets.set(key, new Set([member]));
      return true;
    }
    if (members.has(member)) return false;
    members.add(member);
    return true;
  }

  /** @returns true when the member was there */
  remove(key: string, member: string): boolean {
    const members = this.#sets.get(key);
    if (!members?.delete(member)) return false;
    if (members.size === 0) this.#sets.delete(key);
    return true;
  }

  /** The members of a key. The set is the map's own: do not keep or change it. */
  get(key: string): ReadonlySet<string> {
    return this.#sets.get(key) ?? NONE;
  }

  has(key: string): boolean {
    return this.#sets.has(key);
  }

  /** How many keys have a member. */
  get size(): number {
    return this.#sets.size;
  }
}
