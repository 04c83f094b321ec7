/** Resolution in milliseconds: an item comes due at most this much late. */
const STEP_MS = 10_000;

/**
 * Items by the time at which they come due. Postponing an item does not move it: it comes due at its original time, and
 * the caller adds it again. So postponing is free, and {@link take} costs only the items that are due.
 */
export class Expiries<T> {
  readonly #steps = new Map<number, T[]>();
  /** The earliest step that holds an item. */
  #first = Infinity;

  /** @param at due time, in milliseconds */
  add(item: T, at: number): void {
    const step = Math.ceil(at / STEP_MS);
    const items = this.#steps.get(step);
    if (items) items.push(item);
    else this.#steps.set(step, [item]);
    if (step < this.#first) this.#first = step;
  }

  /** Removes and returns one due item, if there is one. */
  take(now: number): T | undefined {
    if (now < this.#first * STEP_MS) return undefined;
    const items = this.#steps.get(this.#first);
    const item = items?.pop();
    if (items?.length === 0) {
      this.#steps.delete(this.#first);
      this.#first = lowest(this.#steps.keys());
    }
    return item;
  }
}

function lowest(steps: Iterable<number>): number {
  let first = Infinity;
  for (const step of steps) if (step < first) first = step;
  return first;
}
