/** Of how many nodes it is remembered what they said last; a node that was forgotten is heard as if for the first time. */
const MAX_ORIGINS = 4_096;

/**
 * What was heard last of each node in each partition. A node counts what it says, and what it says in one partition
 * arrives in that order, so whatever is not higher has come before: twice, late, or played back by somebody.
 */
export class HeardSequences {
  readonly #last = new Map<string, number[]>();

  /** True when it was not heard before; from then on it was. */
  isNew(origin: string, partition: number, sequence: number): boolean {
    let last = this.#last.get(origin);
    if (last === undefined) {
      if (this.#last.size >= MAX_ORIGINS) this.#forgetOldest();
      this.#last.set(origin, (last = []));
    }
    if (sequence <= (last[partition] ?? 0)) return false;
    last[partition] = sequence;
    return true;
  }

  #forgetOldest(): void {
    for (const origin of this.#last.keys()) {
      this.#last.delete(origin);
      return;
    }
  }
}
