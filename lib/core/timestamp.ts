/** Writes moments as ISO 8601. The last one is kept: within a millisecond many messages carry the same. */
export class TimestampWriter {
  #at = NaN;
  #text = '';

  /** @param at milliseconds since 1970 */
  write(at: number): string {
    if (at !== this.#at) {
      this.#text = new Date(at).toISOString();
      this.#at = at;
    }
    return this.#text;
  }
}
