import { TEXT } from '../dialect.js';

/** One item of a stream; `ts` is the time at which it was due, on the clock of the generator. */
export interface Item {
  readonly seq: number;
  readonly ts: number;
  readonly text: string;
}

/**
 * The source of all streams of a server, such as a language model would be: an async generator that waits for each item. The
 * generator of the load decides when items are there, so all servers have the same ones.
 */
export class ItemClock {
  #stamps: number[] = [];
  #count = 0;
  #text = TEXT;
  #wake: () => void = () => undefined;
  #next = this.#nextItem();
  /** How many streams wait for the next item. */
  waiting = 0;

  /** Streams that begin from now on have so many items. @param bytes the size of the text of each */
  start(count: number, bytes: number): void {
    this.#stamps = [];
    this.#count = count;
    this.#text = TEXT.repeat(Math.ceil(bytes / TEXT.length)).slice(0, bytes);
  }

  /** The next item is there. */
  tick(ts: number): void {
    this.#stamps.push(ts);
    this.waiting = 0;
    const wake = this.#wake;
    this.#next = this.#nextItem();
    wake();
  }

  /** One stream. It does not skip what came while nobody asked. */
  async *items(): AsyncGenerator<Item> {
    const stamps = this.#stamps;
    const text = this.#text;
    for (let seq = 0, count = this.#count; seq < count; seq++) {
      while (seq >= stamps.length) {
        this.waiting += 1;
        await this.#next;
      }
      yield { seq, ts: stamps[seq]!, text };
    }
  }

  #nextItem(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** The one of this process. */
export const clock = new ItemClock();
