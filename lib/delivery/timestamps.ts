import type { Clock } from '../ports/clock.js';

/** Writes the present as ISO 8601. The last one is kept: within a millisecond many messages carry the same. */
export class Timestamps {
  #at = NaN;
  #text = '';

  constructor(private readonly clock: Clock) {}

  now(): string {
    const at = this.clock.now();
    if (at !== this.#at) {
      this.#text = new Date(at).toISOString();
      this.#at = at;
    }
    return this.#text;
  }
}
