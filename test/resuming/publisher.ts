import { RealtimeError } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';
import type { Host, Saying } from './host.js';
import type { Journal, Outcome } from './journal.js';

/** The options of a publisher. */
export interface PublisherHabits {
  /** How long it waits after each answer, in milliseconds. */
  readonly everyMs: number;
  /** It publishes again what may not have been published, until there is an answer. Default: it leaves it at that. */
  readonly isStubborn?: boolean;
  /** Retries use the same idempotency key. Default true. */
  readonly hasKeys?: boolean;
}

const RETRY_MS = 20;

/** Goes on publishing to a topic, on one node after the other, and writes down what it is told. */
export class Publisher {
  #said = 0;
  #attempts = 0;
  #isOver = false;
  readonly #publishing: Promise<void>;

  constructor(
    private readonly name: string,
    private readonly topic: string,
    private readonly journal: Journal,
    private readonly hosts: () => readonly Host[],
    private readonly habits: PublisherHabits,
  ) {
    this.#publishing = this.#publish();
  }

  /** Ends it. Resolves when every outcome is known. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#publishing;
  }

  /** Publishes one thing. */
  async say(): Promise<Outcome> {
    const begun = this.journal.now();
    const key = `${this.name}-${++this.#said}`;
    let outcome = await this.#attempt(key);
    const isRepeated = this.#triesAgain(outcome);
    // Ended while a node was away, it asks each of them once more: another one may know.
    let left = this.hosts().length;
    while (this.#triesAgain(outcome) && (!this.#isOver || left-- > 0)) {
      await delay(RETRY_MS);
      outcome = await this.#attempt(key);
    }
    this.journal.statements.push({ key, begun, ended: this.journal.now(), isRepeated, outcome });
    return outcome;
  }

  #triesAgain({ kind }: Outcome): boolean {
    return this.habits.isStubborn === true && kind === 'unknown';
  }

  async #publish(): Promise<void> {
    while (!this.#isOver) {
      await this.say();
      await delay(this.habits.everyMs);
    }
  }

  async #attempt(key: string): Promise<Outcome> {
    const { isStubborn = false, hasKeys = true } = this.habits;
    const hosts = this.hosts();
    const host = hosts[this.#attempts++ % hosts.length]!;
    const payload: Saying = { key };
    const message = { type: 'said', payload };
    try {
      const { epoch, offset } = await host.publish(
        this.topic,
        message,
        isStubborn && hasKeys ? { idempotencyKey: key } : {},
      );
      return { kind: 'acknowledged', epoch: epoch!, offset: offset! };
    } catch (error) {
      // Any other failure, such as that of a node's process, leaves the outcome unknown.
      return { kind: error instanceof RealtimeError && error.code !== 'UNAVAILABLE' ? 'refused' : 'unknown' };
    }
  }
}
