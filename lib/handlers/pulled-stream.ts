import { Observable, type Subscriber } from 'rxjs';
import type { ItemIterator, StreamSource } from './stream-source.js';
import { explainUnsendable } from './unsendable.js';

/** The run of a handler, as the stream that it returned sees it. */
export interface StreamOwner {
  /** Returns nothing if the next item may be asked for, else a promise for when it may; it stays pending if the run ends before. */
  room(): Promise<void> | undefined;
  /** Called when nobody takes the items any more, before the producer is told to end. */
  dropped(): void;
  /** Called with a promise that never rejects, for the end of a producer that was told to end. */
  leaves(ended: Promise<unknown>): void;
  /** Takes an exception of a producer whose items nobody takes any more. */
  failedLate(thrown: unknown): void;
}

/**
 * The items of a source as an Observable, for interceptors. An item is asked for when the one before was taken and there is room for
 * it, so backpressure reaches the producer. Unsubscribing tells the producer to end; an item that still comes is dropped.
 */
export function pulledStream(source: StreamSource, owner: StreamOwner): Observable<unknown> {
  return new Observable((subscriber) => {
    const pull = new Pull(source.open(), subscriber, owner);
    pull.next();
    return () => pull.stop();
  });
}

class Pull {
  #isOver = false;
  /** True within a call of the producer, which may end its own stream. */
  #isAsking = false;
  /** The item that is awaited. */
  #awaited: Promise<void> | undefined;
  #count = 0;

  constructor(
    private readonly items: ItemIterator,
    private readonly subscriber: Subscriber<unknown>,
    private readonly owner: StreamOwner,
  ) {}

  /** Asks for the next item as soon as there is room for it. */
  readonly next = (): void => {
    if (this.#isOver) return;
    const room = this.owner.room();
    if (room) void room.then(this.next);
    else this.#ask();
  };

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (!this.#isAsking) this.#leave();
  }

  #ask(): void {
    this.#isAsking = true;
    let item: Promise<IteratorResult<unknown>>;
    try {
      item = this.items.next();
    } catch (error) {
      item = Promise.reject(error);
    }
    this.#isAsking = false;
    this.#awaited = item.then(this.#take, this.#fail);
    if (this.#isOver) this.#leave();
  }

  readonly #take = (result: IteratorResult<unknown>): void => {
    this.#awaited = undefined;
    if (this.#isOver) return;
    if (typeof result !== 'object' || result === null) {
      return this.#fail(new TypeError('The stream that the handler returned has a next() that gives no object'));
    }
    if (result.done) {
      this.#isOver = true;
      return this.subscriber.complete();
    }
    this.#count += 1;
    const unsendable = explainUnsendable(result.value);
    // The producer goes on: this unsubscribes, which ends it.
    if (unsendable !== undefined) return this.subscriber.error(new TypeError(`Item ${this.#count} is ${unsendable}.`));
    this.subscriber.next(result.value);
    this.next();
  };

  /** The producer has failed, and so has ended. */
  readonly #fail = (error: unknown): void => {
    this.#awaited = undefined;
    if (this.#isOver) return this.owner.failedLate(error);
    this.#isOver = true;
    this.subscriber.error(error);
  };

  #leave(): void {
    this.owner.dropped();
    let ended: unknown;
    try {
      ended = this.items.stop();
    } catch (error) {
      this.owner.failedLate(error);
    }
    const told = Promise.resolve(ended).catch((error: unknown) => this.owner.failedLate(error));
    this.owner.leaves(Promise.all([this.#awaited, told]));
  }
}
