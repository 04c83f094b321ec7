import { AsyncResource } from 'node:async_hooks';
import { TURN_MS } from '../core/base/turn-budget.js';
import { SafeLogger } from '../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeGateway');

/** Work that waits for a later turn of the event loop. */
export interface WaitsForTurn {
  /** Does the work. An error is logged, and does not concern the work behind it. */
  takeTurn(): void;
}

/** The clock is read once in so many steps; each takes some microseconds. */
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
  #turns = 0;

  /** @param now milliseconds of a clock that does not go back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The number of busy turns so far: while it is the same, no turn that was timed has ended. */
  get turns(): number {
    return this.#turns;
  }

  /**
   * Records one piece of work.
   * @param steps its size
   * @returns true if it has to wait, in {@link add} or for {@link next}
   */
  isOver(steps = 1): boolean {
    if (this.#isOver) return true;
    // Single pieces of work cost nothing but this: a turn is timed from its 16th step on.
    this.#steps += steps;
    if (this.#steps < STEPS) return false;
    this.#steps = 0;
    const now = this.now();
    if (this.#endsAt !== Infinity) return (this.#isOver = now >= this.#endsAt);
    this.#endsAt = now + TURN_MS * NEW_SHARE;
    this.#schedule();
    return false;
  }

  /** Fulfils when work that has to wait may be done. */
  next(): Promise<void> {
    return new Promise((resolve) => this.add({ takeTurn: resolve }));
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

  /** Runs in the asynchronous context of the boot: what waits belongs to many clients, not to the one that came first. */
  readonly #turn = AsyncResource.bind((): void => {
    this.#sliceEndsAt = this.now() + TURN_MS * (1 - NEW_SHARE);
    this.#step();
  });

  readonly #step = (): void => {
    const work = this.now() < this.#sliceEndsAt ? this.#next() : undefined;
    if (work === undefined) return this.#end();
    try {
      work.takeTurn();
    } catch (error) {
      logger.error('Work that had waited for its turn failed', (error as Error)?.stack);
    }
    queueMicrotask(this.#goOn);
  };

  /** The microtasks of a piece of work run before the next piece: a tick waits for all of them. */
  readonly #goOn = (): void => process.nextTick(this.#step);

  #end(): void {
    this.#turns += 1;
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
