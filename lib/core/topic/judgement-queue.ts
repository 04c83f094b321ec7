import { TokenBucket, type Rate } from '../base/token-bucket.js';

/** Most judgements of one owner that run at a time. */
export const MAX_PER_OWNER = 8;

/** Most judgements of all owners that run at a time. */
export const MAX_RUNNING = 256;

/** The rate limit for passes over an owner's topics: five in a row, then one a second. */
const PASSES: Rate = { perSecond: 1, burst: 5 };

/** The delay of a pass above that rate, in milliseconds. */
const PASS_DELAY_MS = 1_000;

/** One topic that is being judged for an owner. */
export interface Judgement<O> {
  readonly owner: O;
  readonly topic: string;
}

interface Running<O> extends Judgement<O> {
  readonly startedAt: number;
  /** `overtaken`: something has changed since it began, so it has to be repeated. `dropped`: nobody needs it any more. */
  state: 'current' | 'overtaken' | 'dropped';
}

/** The topics of one owner that are to be judged. */
interface Pass<O> {
  readonly rate: TokenBucket;
  readonly waiting: Set<string>;
  readonly running: Map<string, Running<O>>;
}

/**
 * Decides which topics are judged when, after the rights of their owners have changed. A later change restarts the pass of
 * its owner: what was judged is judged again, and the result of a judgement that runs does not count. A topic is judged once
 * at a time, and owners take turns, so that one with many slow topics does not delay the others.
 *
 * The queue calls nothing. Its owner starts what {@link next} returns, reports each end to {@link settled}, and looks for
 * {@link late} ones and calls {@link next} again at {@link wakeAt}. Times are milliseconds of any clock that does not go back.
 */
export class JudgementQueue<O> {
  readonly #passes = new Map<O, Pass<O>>();
  /** Owners with a topic that may begin, in their turn. */
  readonly #ready = new Set<O>();
  /** The place in {@link #ready}, where owners leave at the front and come at the end: a new walk would pass all that have left. */
  #turn = this.#ready.values();
  /** Owners whose pass has to wait, with the time at which it begins; the earliest first, since all wait equally long. */
  readonly #delayed = new Map<O, number>();
  /** The earliest first. */
  readonly #running = new Set<Running<O>>();

  /** @param deadlineMs how long one judgement may take */
  constructor(private readonly deadlineMs: number) {}

  /** The time of the next deadline or delayed pass; `undefined` if there is none. */
  get wakeAt(): number | undefined {
    const [running] = this.#running;
    const [delayed] = this.#delayed.values();
    const deadline = running && running.startedAt + this.deadlineMs;
    return deadline === undefined || delayed === undefined ? (deadline ?? delayed) : Math.min(deadline, delayed);
  }

  /** The number of judgements that run. */
  get runningCount(): number {
    return this.#running.size;
  }

  /** Has topics judged by the rights that hold from now on. */
  judge(owner: O, topics: Iterable<string>, now: number): void {
    let pass = this.#passes.get(owner);
    let isAny = false;
    for (const topic of topics) {
      isAny = true;
      pass ??= this.#add(owner, now);
      const running = pass.running.get(topic);
      if (running) running.state = 'overtaken';
      else pass.waiting.add(topic);
    }
    // A pass that has not begun takes the new change along.
    if (!isAny || this.#delayed.has(owner)) return;
    if (pass!.rate.take(now) > 0) {
      this.#ready.delete(owner);
      this.#delayed.set(owner, now + PASS_DELAY_MS);
    } else this.#enqueue(owner);
  }

  /** Returns a judgement that has to begin now, as one that runs; `undefined` when none may. */
  next(now: number): Judgement<O> | undefined {
    this.#wake(now);
    if (this.#running.size >= MAX_RUNNING) return undefined;
    const owner = this.#nextOwner();
    if (owner === undefined) return undefined;
    this.#ready.delete(owner);
    const { waiting, running } = this.#passes.get(owner)!;
    const [topic] = waiting;
    const judgement: Running<O> = { owner, topic: topic!, startedAt: now, state: 'current' };
    waiting.delete(topic!);
    running.set(topic!, judgement);
    this.#running.add(judgement);
    this.#enqueue(owner);
    return judgement;
  }

  /** Records the end of a judgement. @returns whether its result counts; if not, it is repeated where that is needed */
  settled(judgement: Judgement<O>): boolean {
    const ended = judgement as Running<O>;
    if (!this.#running.has(ended)) return false;
    this.#end(ended);
    if (ended.state === 'overtaken') this.#passes.get(ended.owner)?.waiting.add(ended.topic);
    this.#enqueue(ended.owner);
    return ended.state === 'current';
  }

  /** Ends a judgement whose deadline has passed, even if it was overtaken. @returns it; `undefined` if there is none left */
  late(now: number): Judgement<O> | undefined {
    for (const running of this.#running) {
      if (running.startedAt + this.deadlineMs > now) return undefined;
      this.#end(running);
      this.#enqueue(running.owner);
      if (running.state !== 'dropped') return running;
    }
    return undefined;
  }

  /** Forgets a topic: its subscription has ended. */
  drop(owner: O, topic: string): void {
    const pass = this.#passes.get(owner);
    if (pass === undefined) return;
    const running = pass.running.get(topic);
    if (running) running.state = 'dropped';
    pass.waiting.delete(topic);
    this.#enqueue(owner);
  }

  /** Forgets an owner. Its judgements that run keep their places until they have settled, or are late. */
  forget(owner: O): void {
    for (const running of this.#passes.get(owner)?.running.values() ?? []) running.state = 'dropped';
    this.#passes.delete(owner);
    this.#ready.delete(owner);
    this.#delayed.delete(owner);
  }

  #nextOwner(): O | undefined {
    const { done, value } = this.#turn.next();
    if (!done) return value;
    // A walk that has come to the end stays there.
    this.#turn = this.#ready.values();
    return this.#turn.next().value;
  }

  #add(owner: O, now: number): Pass<O> {
    const pass: Pass<O> = { rate: new TokenBucket(PASSES, now), waiting: new Set(), running: new Map() };
    this.#passes.set(owner, pass);
    return pass;
  }

  #end(running: Running<O>): void {
    this.#running.delete(running);
    this.#passes.get(running.owner)?.running.delete(running.topic);
  }

  /** Begins the delayed passes whose time has come. */
  #wake(now: number): void {
    for (const [owner, at] of this.#delayed) {
      if (at > now) return;
      this.#delayed.delete(owner);
      this.#passes.get(owner)!.rate.take(now);
      this.#enqueue(owner);
    }
  }

  /** Gives an owner its turn, if it may begin a judgement and does not wait for its turn already. */
  #enqueue(owner: O): void {
    const pass = this.#passes.get(owner);
    const mayBegin =
      pass !== undefined && pass.waiting.size > 0 && pass.running.size < MAX_PER_OWNER && !this.#delayed.has(owner);
    if (mayBegin) this.#ready.add(owner);
    else this.#ready.delete(owner);
  }
}
