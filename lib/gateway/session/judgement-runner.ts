import { AsyncResource } from 'node:async_hooks';
import { TURN_MS } from '../../core/base/turn-budget.js';
import { JudgementQueue, type Judgement } from '../../core/topic/judgement-queue.js';

/** The topics of one client that can be judged again. */
export interface Judged<V = unknown> {
  /** Asks for the verdict about a topic, by the present rights. Never rejects. */
  ask(topic: string): Promise<V>;
  /** Applies a verdict that counts; `undefined` if there was none before the deadline. Never throws. */
  decide(topic: string, verdict: V | undefined): void;
}

/** Most judgements that begin in one turn. What they do after their first `await` runs behind the slice, where no clock is read. */
const MAX_BEGUN = 64;

/** Judges topics again for all clients of this node. {@link JudgementQueue} decides which and when; this class calls and waits. */
export class JudgementRunner {
  readonly #queue: JudgementQueue<Judged>;
  #isScheduled = false;
  #timer: NodeJS.Timeout | undefined;
  #timerAt = Infinity;

  /** @param deadlineMs how long one judgement may take, in milliseconds */
  constructor(deadlineMs: number) {
    this.#queue = new JudgementQueue(deadlineMs);
  }

  /** Has topics judged again, in a later turn of the event loop. */
  judge(owner: Judged, topics: Iterable<string>): void {
    this.#queue.judge(owner, topics, performance.now());
    this.#schedule();
  }

  /** Forgets a topic: its subscription has ended. */
  drop(owner: Judged, topic: string): void {
    this.#queue.drop(owner, topic);
  }

  /** Forgets a client that has gone. */
  forget(owner: Judged): void {
    this.#queue.forget(owner);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#work);
  }

  /** Runs in the asynchronous context of the boot: what waits belongs to many clients. */
  readonly #work = AsyncResource.bind((): void => {
    this.#isScheduled = false;
    const begunAt = performance.now();
    let now = begunAt;
    for (let late = this.#queue.late(now); late; late = this.#queue.late(now)) {
      late.owner.decide(late.topic, undefined);
    }
    let begun = 0;
    for (let next = this.#queue.next(now); next; next = this.#queue.next(now)) {
      void this.#judge(next);
      begun += 1;
      now = performance.now();
      if (begun < MAX_BEGUN && now - begunAt < TURN_MS) continue;
      this.#schedule();
      break;
    }
    this.#wakeInTime(now);
  });

  async #judge(judgement: Judgement<Judged>): Promise<void> {
    const { owner, topic } = judgement;
    const verdict = await owner.ask(topic);
    if (this.#queue.settled(judgement)) owner.decide(topic, verdict);
    this.#schedule();
  }

  #wakeInTime(now: number): void {
    const at = this.#queue.wakeAt ?? Infinity;
    if (at >= this.#timerAt || at === Infinity) return;
    clearTimeout(this.#timer);
    this.#timerAt = at;
    this.#timer = setTimeout(this.#wake, Math.ceil(at - now));
    this.#timer.unref();
  }

  readonly #wake = (): void => {
    this.#timerAt = Infinity;
    this.#schedule();
  };
}
