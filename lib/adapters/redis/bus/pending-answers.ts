import { countAnswer, emptyTally, isSettled, type DeliveryTally } from '../../../core/routing/delivery-tally.js';
import { TICK_MS } from '../connection/redis-connection.js';

/** The timeout for answers, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/** The length of a wait that lacks only silent nodes, in milliseconds: long enough for their answers if they are back. */
const GRACE_MS = 50;

/** The wait before a roll call counts the silent nodes, in milliseconds: the rest of the timeout leaves enough time for its answers. */
const ROLL_CALL_AFTER_MS = 250;

/** The interval between roll calls while a node is silent, in milliseconds. */
const ROLL_CALL_AGAIN_MS = 5_000;

/** A publication or query that waits for answers. */
export interface Pending extends DeliveryTally {
  readonly sequence: number;
  readonly results: unknown[];
  since: number;
  readonly timeoutMs: number;
  /** The number of checks that will still report whether every live node could be reached. */
  checks: number;
  readonly isChecked: boolean;
  /** What a later check has to know of the first one. */
  baseline: number;
  /** False once one of them has said no. */
  areAllReachable: boolean;
  readonly settle: (pending: Pending) => void;
}

/** The options of one wait. */
export interface PendingOptions {
  /** The timeout for answers. */
  readonly timeoutMs?: number;
  /** True if {@link PendingAnswers.covered} will report whether every live node could be reached. */
  readonly isChecked?: boolean;
}

/**
 * The publications and queries of this node that wait for answers. Until a roll call has counted the silent nodes, a wait
 * for them lasts for its whole timeout. From then on, a wait that lacks no more answers than there are silent nodes settles early,
 * until those nodes answer again.
 */
export class PendingAnswers {
  readonly #pending = new Map<number, Pending>();
  #ticks = 0;
  /** The number of nodes that are connected to Redis but did not answer the last roll call. */
  #silent = 0;
  #isCalling = false;

  /** @param callRoll asks every node to answer; called again only after {@link rollCalled} */
  constructor(private readonly callRoll: () => void) {}

  open(
    sequence: number,
    settle: (pending: Pending) => void,
    { timeoutMs = ANSWER_TIMEOUT_MS, isChecked = false }: PendingOptions = {},
  ): Pending {
    const pending: Pending = Object.assign(emptyTally(isChecked), {
      sequence,
      results: [],
      since: this.#ticks,
      timeoutMs,
      checks: isChecked ? 1 : 0,
      isChecked,
      baseline: 0,
      areAllReachable: true,
      settle,
    });
    this.#pending.set(sequence, pending);
    return pending;
  }

  /**
   * Records the number of nodes that received it, according to Redis.
   * @param answering the number of them that answer; default all
   */
  expect(sequence: number, reached: number, answering = reached): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    pending.reached = reached;
    pending.expected = answering;
    pending.since = this.#ticks;
    if (isSettled(pending)) this.#settle(pending);
  }

  /** Records whether one check has found that every live node can be reached. */
  covered(sequence: number, isCovered: boolean): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    pending.checks -= 1;
    pending.areAllReachable &&= isCovered;
    if (pending.checks > 0) return;
    pending.isCovered = pending.areAllReachable;
    if (isSettled(pending)) this.#settle(pending);
  }

  /**
   * Called when it was published: a check that was made before was too early.
   * @returns it, if {@link covered} has to report another one; nothing if nobody waits for it, or one has said no
   */
  checkedAgain(sequence: number): Pending | undefined {
    const pending = this.#pending.get(sequence);
    if (!pending?.isChecked || !pending.areAllReachable) return undefined;
    pending.checks += 1;
    pending.isCovered = undefined;
    return pending;
  }

  /** Records that a node has left a message out for some connections; its {@link answer} follows. */
  leftOut(sequence: number, connections: number): void {
    const pending = this.#pending.get(sequence);
    if (pending) pending.dropped += connections;
  }

  /** Records the answer of a node. */
  answer(sequence: number, recipients: number, dropped = 0): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return this.#late();
    countAnswer(pending, recipients, dropped);
    if (isSettled(pending)) this.#settle(pending);
  }

  /** Records that a node could not act on it. */
  decline(sequence: number): void {
    this.doubt(sequence);
    this.answer(sequence, 0);
  }

  /** Records that some node may never act on it. */
  doubt(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending) pending.isDoubtful = true;
  }

  /** Adds a part of an answer; the last part is followed by {@link answer}. */
  add(sequence: number, results: readonly unknown[]): void {
    const pending = this.#pending.get(sequence);
    for (const result of results) pending?.results.push(result);
  }

  /** Ends the wait: no further answers will come. */
  fail(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending) this.#settle(pending);
  }

  /** Records the number of nodes that did not answer the roll call. */
  rollCalled(silent: number): void {
    this.#isCalling = false;
    this.#silent = silent;
  }

  tick(): void {
    this.#ticks += 1;
    if (this.#silent > 0 && (this.#ticks * TICK_MS) % ROLL_CALL_AGAIN_MS === 0) this.#call();
    for (const pending of this.#pending.values()) {
      const ageMs = (this.#ticks - pending.since) * TICK_MS;
      // Waits are ordered by age, except for those whose reply from Redis was slow.
      if (ageMs < GRACE_MS) break;
      if (pending.expected === undefined) continue;
      const missing = pending.expected - pending.answered;
      const isKnown = missing <= this.#silent && ageMs > GRACE_MS && pending.isCovered !== undefined;
      if (ageMs >= pending.timeoutMs || isKnown) this.#settle(pending);
      else if (ageMs >= ROLL_CALL_AFTER_MS && pending.timeoutMs === ANSWER_TIMEOUT_MS) this.#call();
    }
  }

  /** Settles every wait with the answers received so far. */
  close(): void {
    for (const pending of this.#pending.values()) this.#settle(pending);
  }

  /** Handles an answer that nothing waited for: a silent node is back, or was only slow. */
  #late(): void {
    if (this.#silent > 0) this.#call();
  }

  #call(): void {
    if (this.#isCalling) return;
    this.#isCalling = true;
    this.callRoll();
  }

  #settle(pending: Pending): void {
    this.#pending.delete(pending.sequence);
    pending.settle(pending);
  }
}

/** The duration of a roll call, in milliseconds: it ends when the waits that caused it time out. */
export const ROLL_CALL_TIMEOUT_MS = ANSWER_TIMEOUT_MS - ROLL_CALL_AFTER_MS;
