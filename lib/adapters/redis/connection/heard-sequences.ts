/** Most nodes whose latest sequence is remembered; a forgotten node is treated as a new one. */
const MAX_ORIGINS = 4_096;

/**
 * The latest sequence received from each node in each partition. A node numbers its frames, and its frames in one partition
 * arrive in that order. So a frame whose sequence is not higher is a duplicate, late, or replayed by an attacker.
 */
export class HeardSequences {
  readonly #last = new Map<string, number[]>();

  /** Records a sequence. @returns true if it was not received before */
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
