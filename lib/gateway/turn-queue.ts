import { AsyncResource } from 'node:async_hooks';
import { TURN_MS } from '../core/base/turn-budget.js';
import { WaitingLine } from '../core/base/waiting-line.js';
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

/** So many pieces of urgent work are done at once in a turn that has been busy, as long as they take no more than {@link TURN_MS}. */
const OVERTAKING = 64;

/** One more for so many pieces of work that have to wait: the more clients are read in a turn, the longer it takes. */
const WAITING_EACH = 16;

/**
 * Keeps clients that all want something at once from taking one long turn of the event loop: work that comes when the turn
 * has been busy for 4 ms waits, and 4 ms of each turn are for what waits, in turn for what has waited longest and for
 * what came last. So a crowd does not delay those who come after it, and everybody in it is served.
 *
 * Urgent work is done at once as long as there is little of it, for 8 ms of a turn at most. When there is more than a number of pieces,
 * it waits in a line of its own, which gets half of the steps.
 */
export class TurnQueue {
  readonly #urgent = new WaitingLine<WaitsForTurn>();
  readonly #ordinary = new WaitingLine<WaitsForTurn>();
  #takesUrgent = false;
  /** How many pieces of urgent work may still be done at once in this turn. */
  #overtaking = OVERTAKING;
  /** The time that urgent work has taken in this turn, in milliseconds. */
  #urgentMs = 0;
  /** Up to when that is counted: the times of commands that came in one piece overlap. */
  #countedTo = -Infinity;
  #steps = 0;
  #endsAt = Infinity;
  #sliceEndsAt = 0;
  #isOver = false;
  #isScheduled = false;
  #turns = 0;
  readonly #onBusy: (() => void)[] = [];

  /** @param now milliseconds of a clock that does not go back */
  constructor(readonly now: () => number = () => performance.now()) {}

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
    if (this.#endsAt !== Infinity) return now >= this.#endsAt && this.#becomeBusy();
    this.#endsAt = now + TURN_MS * NEW_SHARE;
    this.#schedule();
    return false;
  }

  /**
   * Has something done when a turn goes on for longer than others should wait for what is done already: from the moment from which
   * work has to wait, since all sockets with data are read in one turn, 10,000 of them in about 100 ms, and before what has waited.
   * @param callback must not throw
   */
  onBusy(callback: () => void): void {
    this.#onBusy.push(callback);
  }

  /** Fulfils when work that has to wait may be done. */
  next(): Promise<void> {
    return new Promise((resolve) => this.add({ takeTurn: resolve }));
  }

  /** True while this turn has time for urgent work. */
  get hasUrgentTime(): boolean {
    return this.#urgentMs < TURN_MS;
  }

  /** Returns true if urgent work may be done at once though {@link isOver}, and records it. */
  overtakes(): boolean {
    if (this.#overtaking < 1 || !this.hasUrgentTime) return false;
    this.#overtaking -= 1;
    return true;
  }

  /**
   * Records the time that urgent work has taken.
   * @param since when it began, by {@link now}
   * @returns the time of now
   */
  countUrgent(since: number): number {
    const now = this.now();
    this.#urgentMs += Math.max(0, now - Math.max(since, this.#countedTo));
    this.#countedTo = now;
    return now;
  }

  add(work: WaitsForTurn, isUrgent = false): void {
    (isUrgent ? this.#urgent : this.#ordinary).add(work);
    this.#overtaking += 1 / WAITING_EACH;
    this.#schedule();
  }

  #becomeBusy(): true {
    this.#isOver = true;
    this.#callBack();
    return true;
  }

  #callBack(): void {
    for (const callback of this.#onBusy) callback();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    if (this.#hasWaiting) this.#begin();
    else this.#end();
  };

  /** Runs in the asynchronous context of the boot: what waits belongs to many clients, not to the one that came first. */
  readonly #begin = AsyncResource.bind((): void => {
    this.#callBack();
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
    this.#overtaking = OVERTAKING;
    this.#urgentMs = 0;
    if (this.#hasWaiting) this.#schedule();
  }

  get #hasWaiting(): boolean {
    return !this.#urgent.isEmpty || !this.#ordinary.isEmpty;
  }

  #next(): WaitsForTurn | undefined {
    this.#takesUrgent = !this.#takesUrgent;
    return this.#takesUrgent
      ? (this.#urgent.next() ?? this.#ordinary.next())
      : (this.#ordinary.next() ?? this.#urgent.next());
  }
}
