const CHANGE = /"type":"realtime:(joined|left)".*?"userId":"([^"]+)"/;

/** The joins and leaves of a topic that one client receives. */
export class News {
  readonly #present = new Set<string>();

  has(userId: string): boolean {
    return this.#present.has(userId);
  }

  /**
   * @param text a frame of the plain protocol
   * @returns whether it was such news
   * @throws Error if a present user joins or an absent user leaves
   */
  take(text: string): boolean {
    const [, kind, userId] = CHANGE.exec(text) ?? [];
    if (userId === undefined) return false;
    const isNew = kind === 'joined' ? !this.#present.has(userId) : this.#present.delete(userId);
    if (!isNew) throw new Error(`A client was told twice that ${userId} has ${kind}.`);
    if (kind === 'joined') this.#present.add(userId);
    return true;
  }
}
