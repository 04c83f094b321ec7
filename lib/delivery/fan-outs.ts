import { TURN_MS, TurnBudget } from '../core/base/turn-budget.js';

/** A fan-out to more recipients than this is carried out in slices. */
export const MANY_RECIPIENTS = 256;

/** Length of a slice, in milliseconds. The other half of a turn is left to the sockets that write what was queued. */
const SLICE_MS = TURN_MS / 2;

/**
 * Most fan-outs, and most bytes of their texts, that may wait. Above it the oldest are carried out in the call that adds one:
 * a publisher that is too fast does the work itself.
 */
const MAX_WAITING = 128;
const MAX_WAITING_BYTES = 8_388_608;

/** A recipient of fan-outs. */
export interface Recipient {
  /** The number of the latest fan-out that has reached it or passed it over. Only {@link FanOuts} changes it. */
  lastFanOut?: number;
}

/** Something to be done for many recipients. */
export interface FanOut<R> {
  /** The ids of the recipients, or all recipients. It may be live: see {@link FanOuts.catchUp}. */
  readonly ids: ReadonlySet<string> | ReadonlyMap<string, unknown>;
  /**
   * Serves one recipient. Never throws.
   * @param id its id; missing for a fan-out to all recipients
   */
  readonly serve: (recipient: R, id: string | undefined) => void;
  /** The size of its text in bytes. */
  readonly bytes: number;
  /** The size of the work for one recipient: about 1 for an order, less for a frame. Default: 1. */
  readonly weight?: number;
}

/** A fan-out that is under way. */
interface PendingFanOut<R> extends FanOut<R> {
  readonly number: number;
  readonly left: Iterable<string | R>;
  isDone: boolean;
  done: (() => void) | undefined;
}

/**
 * Fan-outs to many recipients, carried out in slices of 4 ms, in the order in which they were added. Each recipient gets
 * everything in that order, as if each fan-out were carried out in one go: {@link catchUp} brings a recipient up to date
 * before it gets anything else, and before it becomes or stops being a recipient.
 */
export class FanOuts<R extends Recipient> {
  readonly #fanOuts: PendingFanOut<R>[] = [];
  readonly #budget: TurnBudget;
  #bytes = 0;
  #last = 0;
  /** True once the slice of this turn has begun; a callback at the end of the turn is due then. */
  #hasBegun = false;
  #isSpent = false;
  #served: R | undefined;

  /**
   * @param recipients all recipients by id; it is live
   * @param now milliseconds of a clock that does not go back
   */
  constructor(
    private readonly recipients: ReadonlyMap<string, R>,
    now: () => number = () => performance.now(),
  ) {
    this.#budget = new TurnBudget(now);
  }

  /** True when there is nothing to catch up on, as nearly always. */
  get isEmpty(): boolean {
    return this.#fanOuts.length === 0;
  }

  /** Begins to carry out a fan-out, at once if a part of this turn's slice is left. @returns a promise for its end; nothing if it is over */
  add(fanOut: FanOut<R>): Promise<void> | undefined {
    const { ids } = fanOut;
    const left = ids === this.recipients ? this.recipients.values() : resumable(ids.keys());
    const pending: PendingFanOut<R> = { ...fanOut, number: ++this.#last, left, isDone: false, done: undefined };
    this.#fanOuts.push(pending);
    this.#bytes += pending.bytes;
    // One that is added while a recipient is served waits for its turn.
    if (this.#served === undefined) {
      if (!this.#isSpent) this.#work();
      while (this.#isTooMuch) this.#carryOut(this.#fanOuts[0]!, Infinity);
    }
    return pending.isDone ? undefined : new Promise((resolve) => (pending.done = resolve));
  }

  /** Records a new recipient: earlier fan-outs pass it over. */
  admit(recipient: R): void {
    recipient.lastFanOut = this.#last;
  }

  /** Serves a recipient with all fan-outs that it has still to get. Later ones cannot be overtaken by what it is given next. */
  catchUp(id: string): void {
    if (this.#fanOuts.length === 0) return;
    const recipient = this.recipients.get(id);
    // Anything that happens while it is served comes before the fan-outs behind.
    if (recipient === undefined || recipient === this.#served) return;
    for (const fanOut of this.#fanOuts) {
      if (fanOut.number > (recipient.lastFanOut ?? 0) && fanOut.ids.has(id)) this.#serve(fanOut, recipient, id);
    }
    recipient.lastFanOut = this.#last;
  }

  get #isTooMuch(): boolean {
    return this.#fanOuts.length > MAX_WAITING || this.#bytes > MAX_WAITING_BYTES;
  }

  readonly #turn = (): void => {
    this.#hasBegun = false;
    this.#isSpent = false;
    if (this.#fanOuts.length > 0) this.#work();
  };

  #work(): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      setImmediate(this.#turn);
      this.#budget.begin(SLICE_MS);
    }
    for (let first = this.#fanOuts[0]; first; first = this.#fanOuts[0]) {
      if (this.#carryOut(first, first.weight ?? 1)) continue;
      this.#isSpent = true;
      return;
    }
  }

  /**
   * Carries out the first fan-out.
   * @param weight the steps of one recipient; `Infinity`: however long it takes
   * @returns false if the slice was over before its end
   */
  #carryOut(fanOut: PendingFanOut<R>, weight: number): boolean {
    const { recipients } = this;
    const budget = this.#budget;
    const { left, number, serve } = fanOut;
    try {
      for (const value of left) {
        const isId = typeof value === 'string';
        const recipient = isId ? recipients.get(value) : value;
        if (recipient === undefined || (recipient.lastFanOut ?? 0) >= number) continue;
        recipient.lastFanOut = number;
        this.#served = recipient;
        serve(recipient, isId ? value : undefined);
        if (weight !== Infinity && budget.isSpent(weight)) return false;
      }
    } finally {
      this.#served = undefined;
    }
    this.#fanOuts.shift();
    this.#bytes -= fanOut.bytes;
    fanOut.isDone = true;
    fanOut.done?.();
    return true;
  }

  /** Serves a recipient that catches up, perhaps while another one is served. */
  #serve(fanOut: PendingFanOut<R>, recipient: R, id: string): void {
    const before = this.#served;
    this.#served = recipient;
    recipient.lastFanOut = fanOut.number;
    try {
      fanOut.serve(recipient, id);
    } finally {
      this.#served = before;
    }
  }
}

/** A loop over the result may be left and gone on with later. Iterators of built-in sets and maps can do that as they are. */
function resumable<T>(iterator: IterableIterator<T>): Iterable<T> {
  if (iterator.return === undefined) return iterator;
  const rest = { next: () => iterator.next(), [Symbol.iterator]: (): Iterator<T> => rest };
  return rest;
}
