import type { Clock } from '../ports/clock.js';

/** Formats the current time as ISO 8601. The latest text is cached: many messages share the same millisecond. */
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
