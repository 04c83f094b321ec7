import type { Decoded } from './decoded.js';

/** So many values in the JSON of a command count like a further command against the rate limit. */
export const VALUES_PER_TOKEN = 1_000;

/** The shortest text of a value with a key, such as `"a10":0,`, in characters: short keys are the most expensive JSON to parse. */
const CHARACTERS_PER_VALUE = 8;

/** Estimates the values that were parsed of a text or of bytes that is not read to its end, or whose values were not counted to the end. */
export function estimatedValues(text: { readonly length: number }): number {
  return Math.floor(text.length / CHARACTERS_PER_VALUE);
}

/** Adds the number of values to what was decoded, if it makes a difference to its cost. */
export function withValues(decoded: Decoded, values: number): Decoded {
  return values < VALUES_PER_TOKEN ? decoded : { ...decoded, values };
}

/** Returns what a command costs of the rate limit: 1, and 1 more for each 1,000 values in its JSON, whether or not it was refused. */
export function costOf({ values = 0 }: Pick<Decoded, 'values'>): number {
  return 1 + Math.floor(values / VALUES_PER_TOKEN);
}
