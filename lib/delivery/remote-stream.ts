import type { StreamRun } from '../core/history/stream-run.js';
import type { StreamOutcome, TopicStream } from './published-stream.js';
import type { StreamEndings } from './stream-endings.js';
import { isUnavailable, type StreamPlaces } from './stream-places.js';
import type { StreamRegistrations } from './stream-registrations.js';

/** Interval at which the end of a stream of another node is looked for, in milliseconds. */
const WATCH_MS = 1_000;

/** The parts of a node that know about the streams of other nodes. */
export interface RemoteParts {
  readonly registrations: StreamRegistrations;
  readonly endings: StreamEndings;
  readonly places: StreamPlaces;
}

/** A published stream that runs on another node. Its end is looked for only once somebody asks. */
export class RemoteStream implements TopicStream {
  #done: Promise<StreamOutcome> | undefined;

  /** @param order stops it */
  constructor(
    private readonly run: StreamRun,
    private readonly parts: RemoteParts,
    private readonly order: () => Promise<unknown>,
  ) {}

  get id(): string {
    return this.run.id;
  }

  get done(): Promise<StreamOutcome> {
    return (this.#done ??= this.#watch());
  }

  async stop(): Promise<void> {
    await this.order();
  }

  /** Waits until it has ended, and reads how. Never rejects. */
  async #watch(): Promise<StreamOutcome> {
    const { registrations, endings, places } = this.parts;
    while (await places.pause(WATCH_MS)) {
      try {
        if (await registrations.find(this.run.topic, this.run.id)) continue;
        const last = await endings.lastOf(this.run);
        const pieces = last?.seq ?? 0;
        return last?.end === undefined ? { reason: 'error', pieces } : { reason: last.end, pieces };
      } catch (error) {
        if (!isUnavailable(error)) break;
      }
    }
    return { reason: 'error', pieces: 0 };
  }
}
