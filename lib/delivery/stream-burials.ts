import type { StreamRun } from '../core/history/stream-run.js';
import { SafeLogger } from '../errors/safe-logger.js';
import { NODE_FAILED } from './published-stream.js';
import type { StreamEndings } from './stream-endings.js';
import { isUnavailable, type StreamPlaces } from './stream-places.js';
import { keyOf, type StreamRegistrations } from './stream-registrations.js';

/** Interval at which a registration is tried again, in milliseconds. */
const RETRY_MS = 1_000;

/**
 * Ends the streams of nodes that are gone. Until the end is published, the stream is registered for this node: a new one with the
 * same id cannot begin before it, and another node takes over if this one crashes, too.
 */
export class StreamBurials {
  readonly #logger = new SafeLogger('RealtimeStreams');
  readonly #runs = new Map<string, StreamRun>();

  constructor(
    private readonly nodeId: string,
    private readonly registrations: StreamRegistrations,
    private readonly endings: StreamEndings,
    private readonly places: StreamPlaces,
  ) {}

  /** The run with this id that is being ended. */
  of(key: string): StreamRun | undefined {
    return this.#runs.get(key);
  }

  /** Ends a run, unless a new one with the same id has begun. Never rejects. */
  async bury(run: StreamRun): Promise<void> {
    const key = keyOf(run.topic, run.id);
    this.#runs.set(key, run);
    try {
      const adopted: StreamRun = { ...run, node: this.nodeId };
      if (!(await this.#adopt(adopted))) return;
      await this.endings.end(run, NODE_FAILED);
      this.registrations.release(adopted);
    } catch (error) {
      this.#logger.error('A stream could not be ended', error instanceof Error ? error.stack : undefined);
    } finally {
      this.#runs.delete(key);
    }
  }

  /** @returns false if another node has the id now, or this one closes */
  async #adopt(run: StreamRun): Promise<boolean> {
    do {
      try {
        return await this.registrations.claim(run.topic, run.id, run);
      } catch (error) {
        if (!isUnavailable(error)) throw error;
      }
    } while (await this.places.pause(RETRY_MS));
    return false;
  }
}
