/** The bounds of a {@link Mailbox}. */
export interface MailboxLimits {
  /** Number of waiting commands at which reading must pause. */
  readonly size: number;
  /** Bytes of waiting commands at which reading must pause. */
  readonly bytes: number;
}

/**
 * The queue of commands of one connection, first in, first out. It bounds its length and its size by backpressure: it never
 * refuses a command, which was read already, but tells its owner when to pause and when to resume reading. Mutable; one owner
 * changes it.
 */
export class Mailbox<T> {
  readonly #items: T[] = [];
  /** The size of each item. */
  readonly #sizes: number[] = [];
  #bytes = 0;
  #paused = false;

  constructor(private readonly limits: MailboxLimits) {}

  /** @param bytes the size of the command @returns true if reading must pause now */
  push(item: T, bytes: number): boolean {
    this.#items.push(item);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    if (this.#paused || (this.length < this.limits.size && this.#bytes < this.limits.bytes)) return false;
    this.#paused = true;
    return true;
  }

  /** Removes and returns the oldest command. */
  shift(): T | undefined {
    this.#bytes -= this.#sizes.shift() ?? 0;
    return this.#items.shift();
  }

  /** Removes and returns the first command that passes the test. */
  remove(test: (item: T) => boolean): T | undefined {
    const at = this.#items.findIndex((item) => test(item));
    if (at < 0) return undefined;
    this.#bytes -= this.#sizes.splice(at, 1)[0]!;
    return this.#items.splice(at, 1)[0];
  }

  /** @returns true if reading is paused and may resume, because half of the room is free again */
  resume(): boolean {
    if (!this.#paused || this.#isOverHalf) return false;
    this.#paused = false;
    return true;
  }

  /** Removes all commands. */
  clear(): void {
    this.#items.length = 0;
    this.#sizes.length = 0;
    this.#bytes = 0;
  }

  /** The number of waiting commands. */
  get length(): number {
    return this.#items.length;
  }

  /** The size of all waiting commands. */
  get bytes(): number {
    return this.#bytes;
  }

  get #isOverHalf(): boolean {
    return this.length > this.limits.size / 2 || this.#bytes > this.limits.bytes / 2;
  }
}
