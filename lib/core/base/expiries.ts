/** How finely times are told apart, in milliseconds: an item comes up at most this much late. */
const STEP_MS = 10_000;

/**
 * What is to be looked at when. Nothing is moved when an item's time is put off: it comes up at the time that was said,
 * and whoever takes it adds it again. So what puts it off costs nothing, and a look no more than what is due.
 */
export class Expiries<T> {
  readonly #steps = new Map<number, T[]>();
  /** The first step that holds something. */
  #first = Infinity;

  /** @param at when it is to come up, in milliseconds */
  add(item: T, at: number): void {
    const step = Math.ceil(at / STEP_MS);
    const items = this.#steps.get(step);
    if (items) items.push(item);
    else this.#steps.set(step, [item]);
    if (step < this.#first) this.#first = step;
  }

  /** Takes out an item whose time has come, if there is one. */
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
