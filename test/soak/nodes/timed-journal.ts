import { Journal } from '../../resuming/journal.js';
import type { RunLog } from './run-log.js';

/** A journal whose moments are milliseconds since the run began, each later than the one before. */
export class TimedJournal extends Journal {
  #last = 0;

  constructor(private readonly log: RunLog) {
    super();
  }

  override now(): number {
    return (this.#last = Math.max(this.log.now(), this.#last + 0.001));
  }
}
