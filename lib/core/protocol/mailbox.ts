/**
 * The queue of commands of one connection, first in, first out. It bounds its length by backpressure: it never refuses a
 * command, which was read already, but tells its owner when to pause and when to resume reading. Mutable; one owner
 * changes it.
 */
export class Mailbox<T> {
  readonly #items: T[] = [];
  #paused = false;

  /** @param size number of waiting commands at which reading must pause */
  constructor(private readonly size: number) {}

  /** @returns true if reading must pause now */
  push(item: T): boolean {
    this.#items.push(item);
    if (this.#paused || this.length < this.size) return false;
    this.#paused = true;
    return true;
  }

  /** Removes and returns the oldest command. */
  shift(): T | undefined {
    return this.#items.shift();
  }

  /** Removes and returns the first command that passes the test. */
  remove(test: (item: T) => boolean): T | undefined {
    const at = this.#items.findIndex((item) => test(item));
    return at < 0 ? undefined : this.#items.splice(at, 1)[0];
  }

  /** @returns true if reading is paused and may resume, because half of the queue is free again */
  resume(): boolean {
    if (!this.#paused || this.length > this.size / 2) return false;
    this.#paused = false;
    return true;
  }

  /** Removes all commands. */
  clear(): void {
    this.#items.length = 0;
  }

  /** The number of waiting commands. */
  get length(): number {
    return this.#items.length;
  }
}
