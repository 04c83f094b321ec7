import { PresenceOutbox } from '../../../core/presence/presence-outbox.js';
import type { PresenceMember } from '../../../core/presence/presence.js';
import { unavailable } from '../connection/redis-connection.js';
import type { Leave, PresenceCalls, Tended } from './presence-calls.js';
import type { TopicChange } from './presence-text.js';

/** Most entries that are reported, or ended, in one script call. */
const LOT = 128;

/** The retry interval of failed reports, in milliseconds. */
const RETRY_MS = 500;

/** The number of refreshes after which all other nodes have noticed a loss of data, and have reported their entries again. */
const REFRESHES_TO_SETTLE = 4;

/** The number of refreshes after a loss of data within which nodes may return that remember this node as declared dead. */
const REFRESHES_TO_ASSURE = 40;

/** Most of its own incarnations that a node asks about, if data is lost again and again. */
const MAX_FORMERS = 10;

/** Most incarnations that a node remembers as declared dead, and again most of which it knows only that it has ended their entries. */
const MAX_SEEN = 100;

/** Most leaves that a node remembers after a loss of data, in case more data is lost. */
const MAX_LEAVES = 1_000;

const NOBODY: ReadonlyMap<string, boolean> = new Map();

/** A caller that waits until a number of updates were reported. */
interface Waiting {
  readonly until: number;
  readonly resolve: () => void;
}

/** The reports of a node in one partition: one call at a time, so that they are ordered. */
export class PresencePartition {
  readonly #held = new PresenceOutbox();
  /** Waiting callers, in ascending order of the number of reported updates that they wait for. */
  #waiting: Waiting[] = [];
  #said = 0;
  #epoch: string | undefined;
  #isHolder = false;
  #isDue = false;
  /** True from the time a batch is sent until its reply arrives; without a reply, it is sent again before anything else. */
  #isAsking = false;
  #isClosed = false;
  #refreshesToSettle = 0;
  #refreshesToAssure = 0;
  /** The incarnations of this node before losses of data, as long as other nodes may know more about them. */
  #formers: string[] = [];
  /** Incarnations that this node saw declared dead; `true` if all of their entries were ended. */
  readonly #seenDead = new Map<string, boolean>();
  /** Other incarnations whose entries this node has ended: nearly all had closed. They are many where a large fleet is deployed. */
  readonly #seenEnded = new Map<string, true>();
  /** The leaves that this node has acted on since a loss of data, by topic and user, while nodes may return that do not know of them. */
  readonly #leaves = new Map<string, Leave>();
  /** The time at which this node had its lease and all its users were stored, by the clock of Redis in milliseconds. */
  #knownAt = 0;
  #mustRemind = false;
  /** True until Redis knows that all earlier users were reported again after a loss of data. */
  #isRestoring = false;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** Why the last attempt failed, until one succeeds. */
  #failure: unknown;

  constructor(
    private readonly calls: Pick<PresenceCalls, 'name' | 'renew' | 'say' | 'tend' | 'acknowledge' | 'leave'>,
    private readonly changed: (...change: TopicChange) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** The epoch of the data in which this node has its lease. */
  get epoch(): string | undefined {
    return this.#epoch;
  }

  /** @param since the time at which the info was given, by `performance.now()` */
  set(topic: string, member: PresenceMember, since: number): Promise<void> {
    this.#held.set(topic, member, since);
    return this.#reported();
  }

  remove(topic: string, userId: string): Promise<void> {
    this.#held.remove(topic, userId);
    return this.#reported();
  }

  /** Refreshes this node's lease, and ends the entries of dead nodes. Settles after the attempt, successful or not. */
  tend(): Promise<void> {
    this.#isDue = true;
    return this.#run();
  }

  /** Resolves once all current updates were reported; rejects with `UNAVAILABLE` if they could not be reported. */
  async flushed(): Promise<void> {
    const until = this.#said + this.#held.unsaidCount;
    await this.#reported();
    if (this.#said < until) throw unavailable(this.#failure);
  }

  /** Reports the remaining updates, if possible. The entries of this node then stay for the grace period. */
  async close(graceMs: number): Promise<void> {
    await this.#run();
    this.#isClosed = true;
    clearTimeout(this.#retry);
    // If this call fails, the lease expires instead.
    if (this.#isHolder) await this.calls.leave(graceMs).catch(this.failed);
  }

  /** Resolves once the current updates were reported, or could not be reported yet. */
  #reported(): Promise<void> {
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
    // Updates of the same turn go into one batch.
    await Promise.resolve();
    try {
      while (!this.#isClosed && (this.#isDue || this.#held.unsaidCount > 0)) {
        if (this.#isAsking || (this.#isHolder && !this.#isDue)) await this.#say();
        else await this.#tend();
      }
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      this.failed(error);
      if (!this.#isClosed) this.#retry = setTimeout(() => void this.#run(), RETRY_MS * (0.5 + Math.random()));
    }
    this.#running = undefined;
    this.#settle(Infinity);
  }

  async #say(): Promise<void> {
    const lot = this.#held.take(LOT);
    this.#isAsking = true;
    const said = await this.calls.say(lot, this.#knownAt);
    this.#isAsking = false;
    // The next lease refresh finds out why, and handles it.
    if (said === undefined) return void (this.#isDue = true);
    const { changes, gone, at } = said;
    this.#held.heard();
    for (const user of gone) this.#held.departed(...user);
    for (const [topic, { kind, userId }] of changes) if (kind === 'joined') this.#held.announced(topic, userId);
    this.#act(changes, at);
    this.#settle((this.#said += lot.length));
    if (this.#isRestoring && this.#held.isRestored) this.#isDue = true;
  }

  async #tend(): Promise<void> {
    const isRestored = this.#isRestoring && this.#held.isRestored;
    const tended = await this.calls.tend({
      isEntering: !this.#isHolder,
      limit: LOT,
      formers: this.#formers,
      isRestored,
      seenDead: this.#mustRemind ? new Map([...this.#seenEnded, ...this.#seenDead]) : NOBODY,
      leaves: this.#mustRemind ? [...this.#leaves.values()] : [],
    });
    if (!tended.isHolder) return this.#begin(tended);
    this.#isHolder = true;
    this.#isDue = tended.isMore;
    this.#epoch = tended.epoch;
    this.#mustRemind = false;
    this.#remember(tended);
    if (tended.wasBuried) this.#bury();
    this.#act(tended.changes, tended.at);
    if (isRestored) this.#isRestoring = false;
    // Refreshes are counted by their interval.
    if (tended.isMore || isRestored) return;
    if (--this.#refreshesToSettle === 0) this.#held.settle();
    if (--this.#refreshesToAssure !== 0) return;
    this.#formers = [];
    this.#leaves.clear();
    this.#held.assured();
  }

  /** Begins again after the lease was lost: other nodes declared this node dead, or all of its reported data is lost. */
  #begin({ epoch, isBuried, wasBuried }: Tended): void {
    const isLost = epoch !== this.#epoch;
    this.#isRestoring ||= isLost;
    this.#mustRemind ||= isLost;
    // If this incarnation was declared dead before the loss, its users have left, as without a loss.
    if (!isLost || isBuried) this.#held.forgotten();
    else {
      this.#held.lost();
      if (this.#epoch !== undefined && !wasBuried)
        this.#formers = [...this.#formers, this.calls.name].slice(-MAX_FORMERS);
      this.#refreshesToSettle = REFRESHES_TO_SETTLE;
    }
    if (isLost) this.#refreshesToAssure = REFRESHES_TO_ASSURE;
    if (wasBuried) this.#bury();
    this.calls.renew();
    this.#isHolder = false;
  }

  /** Handles that an incarnation before an earlier loss of data was declared dead. */
  #bury(): void {
    this.#formers = [];
    this.#held.buried();
  }

  /** Passes on the changes, and acknowledges them to Redis: if this node crashes later, no other node acts on them. */
  #act(changes: readonly TopicChange[], at: number): void {
    if (this.#held.isRestored) this.#knownAt = at;
    for (const change of changes) {
      this.changed(...change);
      if (this.#refreshesToAssure > 0) this.#note(change, at);
    }
    if (changes.length > 0) this.calls.acknowledge();
  }

  #note([topic, { kind, userId }]: TopicChange, at: number): void {
    const key = JSON.stringify([topic, userId]);
    this.#leaves.delete(key);
    if (kind !== 'left') return;
    this.#leaves.set(key, [topic, userId, at]);
    forgetOldest(this.#leaves, MAX_LEAVES);
  }

  #remember({ dead, ended }: Tended): void {
    // What a node has declared dead that ended since, without reading its reply, may have been ended before.
    for (const name of dead)
      this.#seenDead.set(name, this.#seenEnded.delete(name) || this.#seenDead.get(name) === true);
    for (const name of ended) {
      if (this.#seenDead.has(name)) this.#seenDead.set(name, true);
      else this.#seenEnded.set(name, true);
    }
    forgetOldest(this.#seenDead, MAX_SEEN);
    forgetOldest(this.#seenEnded, MAX_SEEN);
  }

  #settle(said: number): void {
    let settled = 0;
    while (settled < this.#waiting.length && this.#waiting[settled]!.until <= said) settled += 1;
    for (const { resolve } of this.#waiting.splice(0, settled)) resolve();
  }
}

function forgetOldest(entries: Map<string, unknown>, most: number): void {
  for (const oldest of entries.keys()) {
    if (entries.size <= most) return;
    entries.delete(oldest);
  }
}
