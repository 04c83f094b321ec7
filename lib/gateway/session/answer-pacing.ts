import { setTimeout as delay } from 'node:timers/promises';
import { AnswerPace, type AnswerRate } from '../../core/protocol/answer-pace.js';
import type { Clock } from '../../ports/clock.js';
import type { Client } from './client.js';

interface Services {
  readonly clock: Clock;
  readonly answerRate: AnswerRate;
}

/** Keeps the next command of a client back until the client has taken the answers before, and until they are within the rate. */
export class AnswerPacing {
  /** Made with the first answer that counts. */
  #pace: AnswerPace | undefined;

  constructor(
    private readonly client: Pick<Client, 'replies' | 'drained'>,
    private readonly services: Services,
  ) {}

  /** Call it after each command. @returns a promise that never rejects when the next command has to wait */
  wait(): Promise<void> | undefined {
    const drained = this.client.drained();
    const length = this.client.replies.takeCounted();
    if (length > 0) {
      const now = this.services.clock.now();
      (this.#pace ??= new AnswerPace(this.services.answerRate, now)).spend(length, now);
    }
    if (drained) return drained.then(() => this.#paid());
    return length > 0 ? this.#paid() : undefined;
  }

  #paid(): Promise<void> | undefined {
    const waitMs = this.#pace?.wait(this.services.clock.now()) ?? 0;
    return waitMs > 0 ? delay(waitMs, undefined, { ref: false }) : undefined;
  }
}
