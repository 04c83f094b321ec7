import { AssertionError } from 'node:assert';
import type { Envelope } from '../../core/routing/envelope.js';
import type { EnvelopeReceiver } from '../../ports/message-bus.js';

/** Deadline for effects that are immediate on a healthy bus, in milliseconds. */
const DEADLINE_MS = 2_000;

/** The receiver of a bus: keeps envelopes in order of arrival, and waits for envelopes that have not arrived yet. */
export class EnvelopeInbox {
  readonly envelopes: Envelope[] = [];
  /** If true, answers the bus only in the next turn. */
  isLate = false;
  #arrived: () => void = () => {};

  /** @param reached number of connections reported to the bus for each envelope */
  constructor(private readonly reached: number) {}

  readonly receive: EnvelopeReceiver = (envelope) => {
    this.envelopes.push(envelope);
    this.#arrived();
    const { reached } = this;
    return this.isLate ? new Promise((resolve) => setImmediate(() => resolve(reached))) : reached;
  };

  /** Resolves when at least `count` envelopes have arrived. Rejects after 2 s. */
  hold(count: number): Promise<void> {
    return this.#until(() => this.envelopes.length >= count, `${count} envelopes`);
  }

  /** Resolves when an envelope that passes the test has arrived. Rejects after 2 s. */
  contain(test: (envelope: Envelope) => boolean): Promise<void> {
    return this.#until(() => this.envelopes.some(test), 'a certain envelope');
  }

  async #until(done: () => boolean, expected: string): Promise<void> {
    if (done()) return;
    let deadline: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        this.#arrived = () => done() && resolve();
        deadline = setTimeout(() => reject(this.#missing(expected)), DEADLINE_MS);
      });
    } finally {
      clearTimeout(deadline);
    }
  }

  #missing(expected: string): AssertionError {
    const { length } = this.envelopes;
    return new AssertionError({
      message: `${expected} should have arrived within ${DEADLINE_MS} ms; ${length} arrived`,
    });
  }
}
