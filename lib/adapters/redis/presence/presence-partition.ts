import { PresenceOutbox } from '../../../core/presence/presence-outbox.js';
import type { PresenceMember } from '../../../core/presence/presence.js';
import { unavailable } from '../connection/redis-connection.js';
import type { PresenceCalls, Tended } from './presence-calls.js';
import type { TopicChange } from './presence-text.js';

/** Most users that are said, or ended, in one step of Redis. */
const LOT = 128;

/** When it is tried again to say what could not be said, in milliseconds. */
const RETRY_MS = 500;

/** After so many refreshes all other nodes have found out that data was lost, and have said theirs anew. */
const REFRESHES_TO_SETTLE = 4;

/** For so many refreshes after a loss of data others may come back who remember that this node was taken for dead before. */
const REFRESHES_TO_ASSURE = 40;

/** Most incarnations that a node remembers to have seen taken for dead. */
const MAX_SEEN_DEAD = 100;

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
  #refreshesToAssure = 0;
  /** Who this node was before data was lost, for as long as others may remember more of it. */
  #former: string | undefined;
  readonly #seenDead = new Set<string>();
  #mustRemind = false;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  constructor(
    private readonly calls: PresenceCalls,
    private readonly changed: (...change: TopicChange) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** The life of the data that this node has its lease in. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** @param since when the info was given, as `performance.now()` tells it */
  set(topic: string, member: PresenceMember, since: number): Promise<void> {
    this.#held.set(topic, member, since);
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

  /** Resolves when all that is to be said now was said; rejects with `UNAVAILABLE` when it could not be said. */
  async flushed(): Promise<void> {
    const until = this.#said + this.#held.unsaidCount;
    await this.#saying();
    if (this.#said < until) throw unavailable();
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
    this.#act(changes);
    this.#settle((this.#said += lot.length));
  }

  async #tend(): Promise<void> {
    const tended = await this.calls.tend({
      isEntering: !this.#isHolder,
      limit: LOT,
      former: this.#former,
      seenDead: this.#mustRemind ? [...this.#seenDead] : [],
    });
    if (!tended.isHolder) return this.#begin(tended);
    this.#isHolder = true;
    this.#isDue = tended.isMore;
    this.#epoch = tended.epoch;
    if (this.#mustRemind) this.#seenDead.clear();
    this.#mustRemind = false;
    this.#remember(tended.dead);
    if (this.#former !== undefined && tended.isBuried) {
      this.#former = undefined;
      this.#held.buried();
    }
    this.#act(tended.changes);
    if (tended.isMore) return;
    if (--this.#refreshesToSettle === 0) this.#held.settle();
    if (--this.#refreshesToAssure !== 0) return;
    this.#former = undefined;
    this.#held.assured();
  }

  /** The lease is lost: because others took this node for dead, or because all that it had said is lost. */
  #begin({ epoch, isBuried }: Tended): void {
    if (isBuried || epoch === this.#epoch) this.#held.forgotten();
    else {
      this.#former = this.#epoch === undefined ? undefined : this.calls.name;
      this.#mustRemind = true;
      this.#held.lost();
      this.#refreshesToSettle = REFRESHES_TO_SETTLE;
      this.#refreshesToAssure = REFRESHES_TO_ASSURE;
    }
    this.calls.renew();
    this.#isHolder = false;
  }

  /** Tells the changes, and Redis that they were told: if this node crashes, nobody else acts on them. */
  #act(changes: readonly TopicChange[]): void {
    for (const change of changes) this.changed(...change);
    if (changes.length > 0) this.calls.acknowledge();
  }

  #remember(dead: readonly string[]): void {
    for (const name of dead) this.#seenDead.add(name);
    for (const name of this.#seenDead) {
      if (this.#seenDead.size <= MAX_SEEN_DEAD) break;
      this.#seenDead.delete(name);
    }
  }

  #settle(said: number): void {
    let settled = 0;
    while (settled < this.#waiting.length && this.#waiting[settled]!.until <= said) settled += 1;
    for (const { resolve } of this.#waiting.splice(0, settled)) resolve();
  }
}
