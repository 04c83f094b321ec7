import { streamKey, type StreamRun } from '../core/history/stream-run.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { HistoryStore } from '../ports/history-store.js';

/** For how long a publication is tried again while the history cannot be reached, in milliseconds. */
const RETRY_MS = 60_000;

/** Delay before the first retry; it doubles up to the longest one. Both in milliseconds. */
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 1_000;

/**
 * Publishes what takes the places of streams: each number of a run is the place of exactly one publication, whichever node
 * publishes it, because its idempotency key is derived from the place. So a node that ends the stream of another one can never
 * be followed by a piece of it.
 */
export class StreamPlaces {
  readonly #pausing = new Set<() => void>();
  #isClosed = false;

  /**
   * @param published called with each message that was published
   * @param retryMs for how long {@link fill} tries again, in milliseconds
   */
  constructor(
    private readonly store: HistoryStore,
    private readonly published: (run: StreamRun, text: string) => void,
    private readonly retryMs: number = RETRY_MS,
  ) {}

  /**
   * Publishes a message in a place of a run, and tries again while the history cannot be reached.
   * @param hasEnded asked before, where the idempotency key alone does not show any more whether the place is taken
   * @returns false if another publication has taken the place
   * @throws RealtimeError `UNAVAILABLE` after {@link RETRY_MS}, or once this is closed; `LIMIT_EXCEEDED` if it is too large
   */
  async fill(run: StreamRun, place: number, text: string, hasEnded?: () => Promise<boolean>): Promise<boolean> {
    let since: number | undefined;
    let isAsked = hasEnded === undefined;
    let isRetry = false;
    for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      try {
        if (!isAsked && (await hasEnded!())) return false;
        isAsked = true;
        const filled = this.attempt(run, place, text, isRetry);
        isRetry = true;
        return await filled;
      } catch (error) {
        since ??= performance.now();
        const isOver = performance.now() - since >= this.retryMs;
        if (isOver || !isUnavailable(error) || !(await this.pause(delayMs))) throw error;
      }
    }
  }

  /**
   * Publishes a message in a place of a run.
   * @param isRetry true if an earlier attempt with the same text had an unknown outcome
   * @returns false if another publication has taken the place
   */
  async attempt(run: StreamRun, place: number | 'end', text: string, isRetry: boolean): Promise<boolean> {
    const { topic, retention } = run;
    const options = { report: false, idempotencyKey: streamKey(run, place) };
    const { repeated, offset } = await this.store.publish(topic, text, retention, options);
    if (!repeated) {
      this.published(run, text);
      return true;
    }
    const { publications } = await this.store.read(topic, { limit: 1, since: offset - 1 }, retention);
    const [found] = publications;
    // One that is no longer kept is most likely that of the attempt before.
    return found?.offset === offset ? found.text === text : isRetry;
  }

  /** Waits. @returns false once this is closed */
  async pause(ms: number): Promise<boolean> {
    if (this.#isClosed) return false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(end, ms);
      timer.unref();
      this.#pausing.add(end);
      const pausing = this.#pausing;
      function end(): void {
        clearTimeout(timer);
        pausing.delete(end);
        resolve();
      }
    });
    return !this.#isClosed;
  }

  /** Ends all retries. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#pausing) end();
  }
}

/** True for the error of a backend that cannot be reached at the moment. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof RealtimeError && error.code === 'UNAVAILABLE';
}
