import { IsoTimes } from '../core/base/iso-times.js';
import type { Clock } from '../ports/clock.js';

/** Formats the current time as ISO 8601. The latest text is cached: many messages share the same millisecond. */
export class Timestamps {
  #at = NaN;
  #text = '';
  readonly #times = new IsoTimes((ms) => new Date(ms).toISOString());

  constructor(private readonly clock: Clock) {}

  now(): string {
    const at = this.clock.now();
    if (at !== this.#at) {
      this.#text = this.#times.text(at);
      this.#at = at;
    }
    return this.#text;
  }
}
