import { PresenceOutbox } from '../../../core/presence/presence-outbox.js';
import type { PresenceMember } from '../../../core/presence/presence.js';
import type { PresenceCalls } from './presence-calls.js';
import type { TopicChange } from './presence-text.js';

/** Most users that are said, or ended, in one step of Redis. */
const LOT = 128;

/** When it is tried again to say what could not be said, in milliseconds. */
const RETRY_MS = 500;

/** After so many refreshes all other nodes have found out that data was lost, and have said theirs anew. */
const REFRESHES_TO_SETTLE = 4;

/** Somebody who waits until so many were said. */
interface Waiting {
  readonly until: number;
  readonly resolve: () => void;
}

/** What a node says in one partition: one call at a time, so that they have an order. */
export class PresencePartition {
  readonly #held = new PresenceOutbox();
  /** Until how many were said each of them waits: in rising order. */
  #waiting: Waiting[] = [];
  #said = 0;
  #epoch: string | undefined;
  #isHolder = false;
  #isDue = false;
  /** True from when a lot is sent until it is answered: if it was not, it is sent again before anything else. */
  #isAsking = false;
  #isClosed = false;
  #refreshesToSettle = 0;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly calls: PresenceCalls,
    private readonly changed: (...change: TopicChange) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  set(topic: string, member: PresenceMember): Promise<void> {
    this.#held.set(topic, member);
    return this.#saying();
  }

  remove(topic: string, userId: string): Promise<void> {
    this.#held.remove(topic, userId);
    return this.#saying();
  }

  /** Says that this node lives, and ends what is held by those who do not. Settles when this was done, or tried. */
  tend(): Promise<void> {
    this.#isDue = true;
    return this.#run();
  }

  /** Says what is to be said, if that is possible. What is here then holds for so long. */
  async close(graceMs: number): Promise<void> {
    await this.#run();
    this.#isClosed = true;
    clearTimeout(this.#retry);
    // When it cannot be told, the lease runs out.
    if (this.#isHolder) await this.calls.leave(graceMs).catch(this.failed);
  }

  /** Resolves when what is to be said now was said, or could not be said yet. */
  #saying(): Promise<void> {
    const count = this.#held.unsaidCount;
    if (count === 0 || this.#retry) return Promise.resolve();
    const said = new Promise<void>((resolve) => this.#waiting.push({ until: this.#said + count, resolve }));
    void this.#run();
    return said;
  }

  #run(): Promise<void> {
    return (this.#running ??= this.#work());
  }

  async #work(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    // What is called for in the same turn goes in one lot.
    await Promise.resolve();
    try {
      while (!this.#isClosed && (this.#isDue || this.#held.unsaidCount > 0)) {
        if (this.#isAsking || (this.#isHolder && !this.#isDue)) await this.#say();
        else await this.#tend();
      }
    } catch (error) {
      this.failed(error);
      if (!this.#isClosed) this.#retry = setTimeout(() => void this.#run(), RETRY_MS * (0.5 + Math.random()));
    }
    this.#running = undefined;
    this.#settle(Infinity);
  }

  async #say(): Promise<void> {
    const lot = this.#held.take(LOT);
    this.#isAsking = true;
    const changes = await this.calls.say(lot);
    this.#isAsking = false;
    // Why, and what follows from it, is found out by looking after the lease.
    if (changes === undefined) return void (this.#isDue = true);
    this.#held.heard();
    for (const change of changes) this.changed(...change);
    this.#settle((this.#said += lot.length));
  }

  async #tend(): Promise<void> {
    const { epoch, isHolder, isMore, changes } = await this.calls.tend(!this.#isHolder, LOT);
    if (!isHolder) return this.#begin(epoch === this.#epoch);
    this.#isHolder = true;
    this.#isDue = isMore;
    this.#epoch = epoch;
    for (const change of changes) this.changed(...change);
    if (!isMore && --this.#refreshesToSettle === 0) this.#held.settle();
  }

  /** @param isBuried true when others took this node for dead; else what it had said was lost */
  #begin(isBuried: boolean): void {
    if (isBuried) this.#held.forgotten();
    else {
      this.#held.lost();
      this.#refreshesToSettle = REFRESHES_TO_SETTLE;
    }
    this.calls.renew();
    this.#isHolder = false;
  }

  #settle(said: number): void {
    let settled = 0;
    while (settled < this.#waiting.length && this.#waiting[settled]!.until <= said) settled += 1;
    for (const { resolve } of this.#waiting.splice(0, settled)) resolve();
  }
}
