import { TURN_MS } from '../core/base/turn-budget.js';

/** Work that waits for a later turn of the event loop. */
export interface WaitsForTurn {
  /** Does the work. Never throws. */
  takeTurn(): void;
}

/** The clock is read once in so many pieces of work; each takes some microseconds. */
const STEPS = 16;

/** Share of a turn for work as it comes; the rest is for what waits. */
const NEW_SHARE = 0.5;

/**
 * Keeps clients that all want something at once from taking one long turn of the event loop: work that comes when the turn
 * has been busy for 4 ms waits, and 4 ms of each turn are for what waits, in turn for what has waited longest and for
 * what came last. So a crowd does not delay those who come after it, and everybody in it is served.
 */
export class TurnQueue {
  #waiting: WaitsForTurn[] = [];
  /** Work before this place is done. */
  #first = 0;
  #steps = 0;
  #endsAt = Infinity;
  #sliceEndsAt = 0;
  #isOver = false;
  #isScheduled = false;
  #takesNewest = false;

  /** @param now milliseconds of a clock that does not go back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /**
   * Records one piece of work.
   * @param isLong true for work that may take milliseconds, so that the clock is read for each piece
   * @returns true if it has to wait, in {@link add}
   */
  isOver(isLong = false): boolean {
    if (this.#isOver) return true;
    // Single short pieces of work cost nothing but this: a turn is timed from its 16th piece on.
    if (++this.#steps % STEPS !== 0 && !isLong) return false;
    const now = this.now();
    if (this.#endsAt !== Infinity) return (this.#isOver = now >= this.#endsAt);
    this.#endsAt = now + TURN_MS * NEW_SHARE;
    this.#schedule();
    return false;
  }

  add(work: WaitsForTurn): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#sliceEndsAt = this.now() + TURN_MS * (1 - NEW_SHARE);
    this.#step();
  };

  readonly #step = (): void => {
    const work = this.now() < this.#sliceEndsAt ? this.#next() : undefined;
    if (work === undefined) return this.#end();
    work.takeTurn();
    queueMicrotask(this.#goOn);
  };

  /** The microtasks of a piece of work run before the next piece: a tick waits for all of them. */
  readonly #goOn = (): void => process.nextTick(this.#step);

  #end(): void {
    this.#isScheduled = false;
    this.#isOver = false;
    this.#endsAt = Infinity;
    if (this.#first < this.#waiting.length) this.#schedule();
  }

  #next(): WaitsForTurn | undefined {
    if (this.#first >= this.#waiting.length) return undefined;
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
