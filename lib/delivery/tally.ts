/** Counts the connections that an action concerned. */
export class Tally {
  #reached = 0;
  #later: Promise<boolean>[] | undefined;

  /** @param outcome whether it concerned a connection, perhaps known only later; the promise must not reject */
  add(outcome: boolean | Promise<boolean>): void {
    if (outcome === true) this.#reached += 1;
    else if (outcome !== false) (this.#later ??= []).push(outcome);
  }

  /** The number of connections, as a promise while outcomes are not known. */
  get total(): number | Promise<number> {
    if (this.#later === undefined) return this.#reached;
    return Promise.all(this.#later).then((outcomes) => this.#reached + outcomes.filter(Boolean).length);
  }
}
