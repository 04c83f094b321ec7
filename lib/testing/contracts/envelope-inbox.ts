import { AssertionError } from 'node:assert';
import type { Envelope } from '../../core/routing/envelope.js';
import type { EnvelopeReceiver } from '../../ports/message-bus.js';

/** How long a bus may take over what happens at once on a healthy one. */
const DEADLINE_MS = 2_000;

/** The receiving end of a bus: keeps what arrives, in its order, and waits for what has not arrived yet. */
export class EnvelopeInbox {
  readonly envelopes: Envelope[] = [];
  /** Answers the bus only in the next turn. */
  isLate = false;
  #arrived: () => void = () => {};

  /** @param reached what the bus is told for each envelope */
  constructor(private readonly reached: number) {}

  readonly receive: EnvelopeReceiver = (envelope) => {
    this.envelopes.push(envelope);
    this.#arrived();
    const { reached } = this;
    return this.isLate ? new Promise((resolve) => setImmediate(() => resolve(reached))) : reached;
  };

  /** Settles when that many envelopes are here; more are not waited for. Rejects after 2 s. */
  hold(count: number): Promise<void> {
    return this.#until(() => this.envelopes.length >= count, `${count} envelopes`);
  }

  /** Settles when an envelope is here that passes the test. Rejects after 2 s. */
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
