import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.js';
import type { Client } from './client.js';

interface Services {
  readonly clock: Clock;
}

/** Keeps the next command of a client back until the client has taken the answers before, and until they are within the rate. */
export class AnswerPacing {
  constructor(
    private readonly client: Pick<Client, 'replies' | 'drained' | 'allowance'>,
    private readonly services: Services,
  ) {}

  /** Call it after each command. @returns a promise that never rejects when the next command has to wait */
  wait(): Promise<void> | undefined {
    const drained = this.client.drained();
    const length = this.client.replies.takeCounted();
    if (length > 0) this.client.allowance.answered(length, this.services.clock.now());
    if (drained) return drained.then(() => this.owed());
    return length > 0 ? this.owed() : undefined;
  }

  /**
   * Call it before the first command: earlier connections of the user may have drawn more than their rate.
   * @returns a promise that never rejects when the first command has to wait
   */
  owed(): Promise<void> | undefined {
    const waitMs = this.client.allowance.answerWait(this.services.clock.now());
    return waitMs > 0 ? delay(waitMs, undefined, { ref: false }) : undefined;
  }
}
