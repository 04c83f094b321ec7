import { RareLines } from '../core/base/rare-lines.js';
import { RealtimeError } from './realtime.error.js';
import { SafeLogger } from './safe-logger.js';

/** The shortest time between two lines about failures of one kind, in milliseconds. */
const INTERVAL_MS = 10_000;

/**
 * Logs failures that many clients can share, such as an outage of Redis: of each kind the first one at once, then at most one line in
 * 10 seconds with the number of the others. A `RealtimeError` is expected and logged as a warning without its stack.
 */
export class RepeatedFailures {
  readonly #logger: SafeLogger;
  readonly #lines = new RareLines(INTERVAL_MS);

  /**
   * @param context the name in the log
   * @param what the text before each reason
   */
  constructor(
    context: string,
    private readonly what: string,
  ) {
    this.#logger = new SafeLogger(context);
  }

  /** Logs a failure, unless one of its kind was logged shortly before. */
  say(error: unknown): void {
    const message = error instanceof Error ? error.message : `a thrown ${typeof error}`;
    const leftOut = this.#lines.add(message, performance.now());
    if (leftOut === undefined) return;
    const more = leftOut === 0 ? '' : ` (${leftOut} more since the last line about it)`;
    if (error instanceof RealtimeError) this.#logger.warn(`${this.what}: ${message}${more}`);
    else this.#logger.error(`${this.what}${more}`, error instanceof Error ? error.stack : message);
  }
}
