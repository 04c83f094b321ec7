import type { TurnQueue, WaitsForTurn } from '../turn-queue.js';
import type { AnswerPacing } from './answer-pacing.js';
import type { Client } from './client.js';

/** Sends a page. @returns a promise when the page is not known yet: the call is repeated when it is */
export type TakePage = () => Promise<void> | undefined;

/**
 * The pages of missed publications for one client, of all its topics: one after the other, each in a turn of its own, when the
 * client has taken the answers and pages before.
 */
export class PageTurns implements WaitsForTurn {
  #waiting: TakePage[] = [];
  #isBusy = false;

  constructor(
    private readonly client: Pick<Client, 'isClosed'>,
    private readonly pacing: Pick<AnswerPacing, 'wait'>,
    private readonly turns: Pick<TurnQueue, 'add'>,
  ) {}

  /** Calls a function when it is its turn. */
  add(takePage: TakePage): void {
    this.#waiting.push(takePage);
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.turns.add(this);
  }

  takeTurn(): void {
    if (this.client.isClosed) return void (this.#waiting = []);
    const unknown = this.#waiting[0]?.();
    if (unknown) return void unknown.then(() => this.turns.add(this));
    this.#waiting.shift();
    const paced = this.pacing.wait();
    if (paced) void paced.then(() => this.#next());
    else this.#next();
  }

  #next(): void {
    if (this.#waiting.length > 0) this.turns.add(this);
    else this.#isBusy = false;
  }
}
