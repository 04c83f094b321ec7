import { setImmediate as nextTurn } from 'node:timers/promises';
import { TurnBudget } from '../core/base/turn-budget.js';
import { KEY_LIFE_MS } from '../core/history/publication-streams.js';
import { readStreamItem } from '../core/history/stream-item.js';
import type { StreamEnd } from '../core/history/stream-piece.js';
import { StreamPieces, type StreamPublication } from '../core/history/stream-pieces.js';
import type { StreamRun } from '../core/history/stream-run.js';
import type { StreamEndings } from './stream-endings.js';
import { isUnavailable, type StreamPlaces } from './stream-places.js';
import { StreamSource, type OpenSource } from './stream-source.js';
import type { Timestamps } from './timestamps.js';

/**
 * The end of a published stream.
 * @publicApi
 */
export interface StreamOutcome {
  /**
   * `end`: the source has ended. `stopped`: somebody has stopped it. `error`: the source failed, its node crashed or shut down, the
   * pieces could not be published in time, or, for a stream of another node, this node was closed before the end was known.
   */
  readonly reason: 'end' | 'stopped' | 'error';
  /** Number of publications with items. */
  readonly pieces: number;
}

/**
 * A published stream that runs, on this node or on another one.
 * @publicApi
 */
export interface TopicStream {
  readonly id: string;
  /** Resolves once the stream has ended; never rejects. */
  readonly done: Promise<StreamOutcome>;
  /**
   * Stops the stream: its signal is aborted, what was collected is published, and then the end. Resolves once it was told to.
   * @throws RealtimeError `UNAVAILABLE` if the node that runs it could not be reached
   */
  stop(): Promise<void>;
}

/** Why a stream is interrupted; `lost`: another node has ended it, or is about to. */
export type Interruption = Exclude<StreamEnd, { kind: 'end' }> | { readonly kind: 'lost' };

/** The parts that all streams of a node share. */
export interface StreamParts {
  readonly places: StreamPlaces;
  readonly endings: StreamEndings;
  readonly timestamps: Timestamps;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Logs the failure of a source, where it is not meant for clients. @returns the text for clients */
  readonly failed: (run: StreamRun, error: unknown) => string;
  /** Called once the end of the run is published, before `done` resolves if possible. */
  readonly ended: (run: StreamRun) => void;
}

/** The limits within which items are joined. */
export interface Pace {
  readonly flushMs: number;
  readonly maxBytes: number;
}

/**
 * The time after its last publication from which a run makes sure in the history that no other node has ended it, in milliseconds. A node
 * that is halted or cut off for longer than the idempotency keys live finds the place of its next piece free, behind its end.
 */
const UNSURE_MS = KEY_LIFE_MS / 2;

/**
 * Publishes the items of one source. It pulls the next item only when what was full before is published, so a slow history holds
 * back the producer.
 */
export class PublishedStream implements TopicStream {
  readonly done: Promise<StreamOutcome>;
  readonly #source: StreamSource;
  readonly #pieces: StreamPieces;
  readonly #budget = new TurnBudget(() => performance.now());
  #interruption: Interruption | undefined;
  #items = 0;
  #published = 0;
  #publishedAt: number;
  /** True while something is collected, and will be flushed in time. */
  #isReminded = false;

  constructor(
    readonly run: StreamRun,
    private readonly pace: Pace,
    open: OpenSource,
    private readonly parts: StreamParts,
  ) {
    this.#publishedAt = parts.now();
    this.#source = new StreamSource(open);
    this.#pieces = new StreamPieces(run, pace.maxBytes);
    this.done = this.#publishAll();
  }

  get id(): string {
    return this.run.id;
  }

  async stop(): Promise<void> {
    this.interrupt({ kind: 'stopped' });
  }

  /** Ends the source; the first interruption counts. */
  interrupt(why: Interruption): void {
    this.#interruption ??= why;
    this.#source.interrupt();
  }

  async #publishAll(): Promise<StreamOutcome> {
    this.#budget.begin();
    try {
      const end = await this.#produce();
      if (end.kind === 'end') this.#source.forget();
      else this.#source.interrupt();
      if (end.kind === 'lost') throw new ReplacedError();
      await this.#publish(this.#pieces.end(end, this.parts.timestamps.now()));
      this.parts.ended(this.run);
      // The end is none of the pieces.
      return { reason: end.kind, pieces: this.#published - 1 };
    } catch (error) {
      this.#source.interrupt();
      const why = reasonOf(error) ?? this.parts.failed(this.run, error);
      // The history may be away for long; the stream is over all the same.
      const ending = this.parts.endings.end(this.run, why, this.#published).then(() => this.parts.ended(this.run));
      if (!isUnavailable(error)) await ending;
    }
    return { reason: 'error', pieces: this.#published };
  }

  /** Publishes items until the source ends. @returns how it ended */
  async #produce(): Promise<StreamEnd | Interruption> {
    for (;;) {
      const news = await this.#source.next();
      switch (news.kind) {
        case 'end':
          return news;
        case 'interrupted':
          return this.#interruption!;
        case 'due':
          this.#isReminded = false;
          await this.#publish(this.#pieces.flush(this.parts.timestamps.now()));
          break;
        case 'failed':
          return { kind: 'error', error: this.parts.failed(this.run, news.error) };
        case 'item': {
          const item = readStreamItem(news.item);
          this.#items += 1;
          if (item.kind === 'lost') {
            const error = new TypeError(`Item ${this.#items} of the source cannot be sent: ${item.what}`);
            return { kind: 'error', error: this.parts.failed(this.run, error) };
          }
          await this.#add(this.#pieces.add(item, this.parts.timestamps.now()));
        }
      }
    }
  }

  async #add(filled: readonly StreamPublication[]): Promise<void> {
    if (filled.length > 0) {
      this.#source.forget();
      this.#isReminded = false;
      await this.#publish(filled);
    }
    if (!this.#isReminded && !this.#pieces.isEmpty) {
      this.#source.remind(this.pace.flushMs);
      this.#isReminded = true;
    }
    // A source that never waits would keep the event loop for itself.
    if (!this.#budget.isSpent()) return;
    await nextTurn();
    this.#budget.begin();
  }

  async #publish(publications: readonly StreamPublication[]): Promise<void> {
    const { places, now } = this.parts;
    for (const { seq, text } of publications) {
      const isUnsure = Math.abs(now() - this.#publishedAt) >= UNSURE_MS;
      if (!(await places.fill(this.run, seq, text, isUnsure ? this.#hasEnded : undefined))) throw new ReplacedError();
      this.#published = seq + 1;
      this.#publishedAt = now();
    }
  }

  readonly #hasEnded = async (): Promise<boolean> => (await this.parts.endings.lastOf(this.run))?.end !== undefined;
}

/** Another node has taken the place of the next publication: it has ended the stream. */
class ReplacedError extends Error {}

/** The text for clients, for an end that the stream does not publish itself. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof ReplacedError) return NODE_FAILED;
  return isUnavailable(error) ? NOT_IN_TIME : undefined;
}

/** The error of a stream whose node is gone, or was taken for gone. */
export const NODE_FAILED = 'The stream was interrupted: its server has failed.';

const NOT_IN_TIME = 'The stream was interrupted: it could not be published in time.';
