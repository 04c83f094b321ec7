import { endText, readStreamMark, type StreamMark } from '../core/history/stream-piece.js';
import type { StreamRun } from '../core/history/stream-run.js';
import { RepeatedFailures } from '../errors/repeated-failures.js';
import type { HistoryStore } from '../ports/history-store.js';
import { isUnavailable, type StreamPlaces } from './stream-places.js';
import type { Timestamps } from './timestamps.js';

/** Publications read at once when the latest one of a stream is looked for. */
const PAGE = 100;

/** Longest delay between two attempts to end a stream, in milliseconds. */
const MAX_DELAY_MS = 5_000;

/** Ends streams whose producer cannot end them itself: it is gone, or could not publish any more. */
export class StreamEndings {
  readonly #failures = new RepeatedFailures('RealtimeStreams', 'A stream could not be ended yet');

  constructor(
    private readonly store: HistoryStore,
    private readonly places: StreamPlaces,
    private readonly timestamps: Timestamps,
  ) {}

  /**
   * Publishes the error that ends a run, unless it has ended: once, whichever nodes try. Tries again until it succeeds or this
   * node closes. Never rejects.
   * @param error the text for clients
   * @param pieces the number of pieces that were published, where that is known
   */
  async end(run: StreamRun, error: string, pieces?: number): Promise<void> {
    for (let delayMs = 100; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      try {
        if (await this.#attempt(run, error, pieces)) return;
      } catch (failure) {
        this.#failures.say(failure);
        if (!isUnavailable(failure)) return;
      }
      if (!(await this.places.pause(delayMs))) return;
    }
  }

  /**
   * Reads the latest publication of a run that is kept.
   * @throws RealtimeError `UNAVAILABLE`
   */
  async lastOf({ topic, retention, ...stream }: StreamRun): Promise<StreamMark | undefined> {
    for (let since: number | undefined; ;) {
      const range = { limit: PAGE, reverse: true, ...(since !== undefined && { since }) };
      const { publications } = await this.store.read(topic, range, retention);
      for (const { text } of publications) {
        const mark = readStreamMark(text, stream);
        if (mark) return mark;
      }
      if (publications.length < PAGE) return undefined;
      since = publications.at(-1)!.offset;
    }
  }

  /** @returns false if something was published in the place meanwhile */
  async #attempt(run: StreamRun, error: string, pieces?: number): Promise<boolean> {
    const textAt = (seq?: number) => endText(run, seq, { kind: 'error', error }, this.timestamps.now());
    const last = await this.lastOf(run);
    if (last?.end !== undefined) return true;
    if (last?.seq !== undefined) return this.places.attempt(run, last.seq + 1, textAt(last.seq + 1), false);
    // Perhaps there were pieces, and none of them is kept: nobody can tell how many. The first place is taken in any case, so that
    // no piece follows if there were none; but it is free again if it was taken long ago.
    const isFirst = await this.places.attempt(run, 0, textAt(pieces === 0 ? 0 : undefined), false);
    if (!isFirst) await this.places.attempt(run, 'end', textAt(), false);
    return true;
  }
}
