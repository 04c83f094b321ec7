import { TURN_MS, TurnBudget } from '../../core/base/turn-budget.js';
import { FrameBatch } from './frame-batch.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const logger = new SafeLogger('RealtimeGateway');

/** A socket with frames to write. */
export interface Flushable {
  flush(): void;
}

/** Share of a turn for the sockets of that turn; the rest is for those that are left from a large fan-out. */
const NEW_SHARE = 0.5;

/**
 * Collects the sockets that were sent frames in this turn of the event loop, and flushes each when the turn ends: one system
 * call per socket, whatever the number of frames. `setImmediate` runs right after the sockets were read, so a frame waits
 * only for work that is already under way.
 *
 * At most 8 ms of a turn are spent on it. The sockets that are left are flushed in the next turns, so a small send may overtake
 * the rest of a large one. Sockets with an answer to their client come first: a client that asks while a message goes to
 * thousands of others would otherwise wait until the message has reached all that stand before it. In a turn that goes on for long
 * they need not wait for its end ({@link flushFirst}). Each socket keeps the order of its frames.
 */
export class FlushQueue {
  readonly #budget: TurnBudget;
  readonly #firstBudget: TurnBudget;
  #empty = FrameBatch.empty();
  /** Sockets with an answer. They may wait below as well; the second flush finds nothing to write. */
  #first: Flushable[] = [];
  #waiting: Flushable[] = [];
  #spareFirst: Flushable[] = [];
  #spare: Flushable[] = [];
  /** Sockets that are left from earlier turns, in their order; those before `#next` are done. */
  #left: Flushable[] = [];
  #next = 0;
  #scheduled = false;

  /** @param now milliseconds of a clock that does not go back */
  constructor(now: () => number = () => performance.now()) {
    this.#budget = new TurnBudget(now);
    this.#firstBudget = new TurnBudget(now);
  }

  /** The empty batch that the batches of this turn begin with. */
  get empty(): FrameBatch {
    return this.#empty;
  }

  add(socket: Flushable): void {
    this.#waiting.push(socket);
    this.#schedule();
  }

  /** Adds a socket that is flushed before those that were added otherwise. */
  addFirst(socket: Flushable): void {
    this.#first.push(socket);
    this.#schedule();
  }

  /** Flushes sockets with an answer now, for 4 ms at most, since the turn may go on for long. */
  flushFirst(): void {
    this.#firstBudget.begin(TURN_MS * NEW_SHARE);
    const first = this.#first;
    first.splice(0, this.#flushFrom(first, 0, this.#firstBudget));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const first = this.#first;
    const sockets = this.#waiting;
    this.#first = this.#spareFirst;
    this.#waiting = this.#spare;
    this.#scheduled = false;
    this.#empty = FrameBatch.empty();
    const isBehind = this.#left.length > 0;
    this.#budget.begin(isBehind ? TURN_MS * NEW_SHARE : TURN_MS);
    const answered = this.#flushFrom(first, 0);
    const done = answered < first.length ? 0 : this.#flushFrom(sockets, 0);
    if (isBehind) {
      this.#budget.begin(TURN_MS * (1 - NEW_SHARE));
      this.#next = this.#flushFrom(this.#left, this.#next);
      if (this.#next * 2 >= this.#left.length) {
        this.#left = this.#left.slice(this.#next);
        this.#next = 0;
      }
    }
    for (let at = answered; at < first.length; at++) this.#left.push(first[at]!);
    for (let at = done; at < sockets.length; at++) this.#left.push(sockets[at]!);
    first.length = sockets.length = 0;
    this.#spareFirst = first;
    this.#spare = sockets;
    if (this.#left.length > 0) this.#schedule();
  };

  /** Flushes until the slice is over. @returns where to go on */
  #flushFrom(sockets: readonly Flushable[], from: number, budget = this.#budget): number {
    for (let at = from; at < sockets.length; at++) {
      this.#write(sockets[at]!);
      if (budget.isSpent()) return at + 1;
    }
    return sockets.length;
  }

  /** A socket that fails must not keep the others from being flushed. */
  #write(socket: Flushable): void {
    try {
      socket.flush();
    } catch (error) {
      logger.error('A connection could not be written to', (error as Error)?.stack);
    }
  }
}
