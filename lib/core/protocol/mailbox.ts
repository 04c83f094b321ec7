/**
 * The commands of one connection that wait for their turn: first in, first out, and bounded. It never refuses a command
 * (those were read already); it says when to stop reading and when to go on. Changed in place by its one owner.
 */
export class Mailbox<T> {
  readonly #items: T[] = [];
  #paused = false;

  /** @param size how many commands may wait before reading must stop */
  constructor(private readonly size: number) {}

  /** @returns true when reading must stop now */
  push(item: T): boolean {
    this.#items.push(item);
    if (this.#paused || this.length < this.size) return false;
    this.#paused = true;
    return true;
  }

  /** Takes the oldest command. */
  shift(): T | undefined {
    return this.#items.shift();
  }

  /** Takes out the first command that passes the test. */
  remove(test: (item: T) => boolean): T | undefined {
    const at = this.#items.findIndex((item) => test(item));
    return at < 0 ? undefined : this.#items.splice(at, 1)[0];
  }

  /** @returns true when reading was stopped and may go on: half of the room is free again */
  resume(): boolean {
    if (!this.#paused || this.length > this.size / 2) return false;
    this.#paused = false;
    return true;
  }

  /** Forgets all that wait. */
  clear(): void {
    this.#items.length = 0;
  }

  /** How many commands wait. */
  get length(): number {
    return this.#items.length;
  }
}
