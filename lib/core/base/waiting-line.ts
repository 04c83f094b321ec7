/**
 * A line that is served at both ends in turn: what has waited longest, and what came last. So nothing waits for ever, and what comes
 * last does not wait for all that came before.
 */
export class WaitingLine<T> {
  #waiting: T[] = [];
  /** Items before this place were served. */
  #first = 0;
  #takesNewest = false;

  get isEmpty(): boolean {
    return this.#first >= this.#waiting.length;
  }

  add(item: T): void {
    this.#waiting.push(item);
  }

  /** Removes and returns the item that is served next: the newest one first, then the oldest one, and so on. */
  next(): T | undefined {
    if (this.isEmpty) return undefined;
    this.#takesNewest = !this.#takesNewest;
    if (this.#takesNewest) return this.#waiting.pop();
    const oldest = this.#waiting[this.#first++];
    if (this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return oldest;
  }
}
