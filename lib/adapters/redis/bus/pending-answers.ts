import { TICK_MS } from '../connection/redis-connection.js';

/** How long answers are waited for, in milliseconds. */
const ANSWER_TIMEOUT_MS = 1_000;

/** How long those are waited for who have not answered before, in milliseconds: long enough if they are back. */
const GRACE_MS = 50;

/** When it is looked into who is silent, in milliseconds: half of the rest is enough for an answer, and it is known in time. */
const ROLL_CALL_AFTER_MS = 250;

/** How often the roll is called while somebody is silent, in milliseconds. */
const ROLL_CALL_AGAIN_MS = 5_000;

/** Something that was published, and is being answered. */
export interface Pending {
  readonly sequence: number;
  /** How many nodes Redis has handed it to. */
  reached: number;
  /** How many of them answer; undefined until Redis has said how many there are. */
  expected: number | undefined;
  answered: number;
  recipients: number;
  /** Whether every live node could be reached; undefined until that is known. */
  isCovered: boolean | undefined;
  /** How many nodes have reached somebody. */
  nodes: number;
  readonly results: unknown[];
  /** True when a node could not act on it, or may never do so. */
  isDoubtful: boolean;
  since: number;
  readonly timeoutMs: number;
  readonly settle: (pending: Pending) => void;
}

/** How something is waited for. */
export interface PendingOptions {
  /** For how long answers are waited for. */
  readonly timeoutMs?: number;
  /** True when {@link PendingAnswers.covered} will tell whether every live node could be reached. */
  readonly isChecked?: boolean;
}

/** True when every live node could be reached, and every node that it was handed to has answered and has acted on it. */
export function isAnsweredByAll(pending: Pending): boolean {
  return isSettled(pending) && pending.isCovered === true && !pending.isDoubtful;
}

/** True when nothing more is waited for. */
function isSettled({ expected, answered, isCovered }: Pending): boolean {
  return expected !== undefined && answered >= expected && isCovered !== undefined;
}

/**
 * What this node waits for. A node that is silent is waited for until it is known to be: a roll call tells how many are.
 * From then on, what lacks no more answers than that is settled at once, until they are heard again.
 */
export class PendingAnswers {
  readonly #pending = new Map<number, Pending>();
  #ticks = 0;
  /** How many nodes are connected to Redis but did not answer the last roll call. */
  #silent = 0;
  #isCalling = false;

  /** @param callRoll asks everybody to answer; called again only after {@link rollCalled} */
  constructor(private readonly callRoll: () => void) {}

  open(
    sequence: number,
    settle: (pending: Pending) => void,
    { timeoutMs = ANSWER_TIMEOUT_MS, isChecked = false }: PendingOptions = {},
  ): Pending {
    const pending: Pending = {
      sequence,
      expected: undefined,
      reached: 0,
      isCovered: isChecked ? undefined : true,
      answered: 0,
      recipients: 0,
      nodes: 0,
      results: [],
      isDoubtful: false,
      since: this.#ticks,
      timeoutMs,
      settle,
    };
    this.#pending.set(sequence, pending);
    return pending;
  }

  /**
   * Redis has handed it to so many nodes.
   * @param answering how many of them answer; default all
   */
  expect(sequence: number, reached: number, answering = reached): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    pending.reached = reached;
    pending.expected = answering;
    pending.since = this.#ticks;
    if (isSettled(pending)) this.#settle(pending);
  }

  /** Whether every live node could be reached. */
  covered(sequence: number, isCovered: boolean): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return;
    pending.isCovered = isCovered;
    if (isSettled(pending)) this.#settle(pending);
  }

  /** A node has answered. */
  answer(sequence: number, recipients: number): void {
    const pending = this.#pending.get(sequence);
    if (pending === undefined) return this.#late();
    pending.answered += 1;
    pending.recipients += recipients;
    if (recipients > 0) pending.nodes += 1;
    if (isSettled(pending)) this.#settle(pending);
  }

  /** A node has answered that it could not act on it. */
  decline(sequence: number): void {
    this.doubt(sequence);
    this.answer(sequence, 0);
  }

  /** Somebody may never act on it. */
  doubt(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending) pending.isDoubtful = true;
  }

  /** A part of an answer; the last one comes with {@link answer}. */
  add(sequence: number, results: readonly unknown[]): void {
    const pending = this.#pending.get(sequence);
    for (const result of results) pending?.results.push(result);
  }

  /** Nothing more will come. */
  fail(sequence: number): void {
    const pending = this.#pending.get(sequence);
    if (pending) this.#settle(pending);
  }

  /** So many did not answer the roll call. */
  rollCalled(silent: number): void {
    this.#isCalling = false;
    this.#silent = silent;
  }

  tick(): void {
    this.#ticks += 1;
    if (this.#silent > 0 && (this.#ticks * TICK_MS) % ROLL_CALL_AGAIN_MS === 0) this.#call();
    for (const pending of this.#pending.values()) {
      const ageMs = (this.#ticks - pending.since) * TICK_MS;
      // They stand in order of age, but for those that Redis took its time over.
      if (ageMs < GRACE_MS) break;
      if (pending.expected === undefined) continue;
      const missing = pending.expected - pending.answered;
      const isKnown = missing <= this.#silent && ageMs > GRACE_MS && pending.isCovered !== undefined;
      if (ageMs >= pending.timeoutMs || isKnown) this.#settle(pending);
      else if (ageMs >= ROLL_CALL_AFTER_MS && pending.timeoutMs === ANSWER_TIMEOUT_MS) this.#call();
    }
  }

  /** Everything is settled as it is. */
  close(): void {
    for (const pending of this.#pending.values()) this.#settle(pending);
  }

  /** Somebody who was not waited for is back, or has only been slow. */
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

/** How long a roll call takes, in milliseconds: it ends when those who were waited for since before it began are due. */
export const ROLL_CALL_TIMEOUT_MS = ANSWER_TIMEOUT_MS - ROLL_CALL_AFTER_MS;
