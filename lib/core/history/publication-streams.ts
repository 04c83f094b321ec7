import { Expiries } from '../base/expiries.js';
import type { HistoryPage, HistoryRange, Retention, StreamPosition } from './history.js';
import { PublicationStream } from './publication-stream.js';
import { unpublishedEpoch } from './unpublished-epoch.js';

/** Time for which an idempotency key is remembered, in milliseconds. */
export const KEY_LIFE_MS = 300_000;

/** Interval at which a stream is checked for expiry, in milliseconds; expired content may stay for this much longer. */
const LOOK_MS = 60_000;

/** Maximum number of items swept per call; more than one call can add. */
const SWEPT_AT_ONCE = 100;

/** The result of an append. */
export interface Appended {
  readonly position: StreamPosition;
  /** True if the idempotency key is known; `position` is then that of the earlier publication with this key. */
  readonly isRepeated: boolean;
}

/**
 * The histories of all topics. Each call also sweeps a few expired items. Mutable; one owner changes it and passes the
 * current time in milliseconds.
 */
export class PublicationStreams {
  readonly #streams = new Map<string, PublicationStream>();
  readonly #streamExpiries = new Expiries<string>();
  readonly #keys = new Map<string, { readonly position: StreamPosition; readonly until: number }>();
  readonly #keyExpiries = new Expiries<string>();

  /** @param term names this store: no other one, before or beside it, has the same */
  constructor(private readonly term: string) {}

  /** The number of topics, publications and keys held, for leak tests. */
  get held(): number {
    let held = this.#streams.size + this.#keys.size;
    for (const { size } of this.#streams.values()) held += size;
    return held;
  }

  /**
   * Appends a message to a topic, unless the key is known.
   * @param key idempotency key: a second append with the same key returns the position of the first
   */
  append(topic: string, text: string, retention: Retention, now: number, key?: string): Appended {
    this.#sweep(now);
    // Only topics of the application have keys, and none of them contains a space.
    const name = key === undefined ? undefined : `${topic} ${key}`;
    const known = name === undefined ? undefined : this.#keys.get(name);
    if (known && known.until > now) return { position: known.position, isRepeated: true };
    const position = this.#streamOf(topic, retention, now).append(text, retention, now);
    if (name !== undefined) {
      const until = now + KEY_LIFE_MS;
      this.#keys.set(name, { position, until });
      this.#keyExpiries.add(name, until);
    }
    return { position, isRepeated: false };
  }

  /** Reads publications of a topic, and its position. */
  page(topic: string, range: HistoryRange, retention: Retention, now: number): HistoryPage {
    this.#sweep(now);
    const stream = this.#kept(topic, now);
    // A read leaves nothing behind: clients may name any number of topics.
    if (stream === undefined)
      return { top: { epoch: unpublishedEpoch(this.term, topic, now), offset: 0 }, publications: [] };
    stream.keep(retention.ttlMs, now);
    return stream.page(range, now);
  }

  #kept(topic: string, now: number): PublicationStream | undefined {
    const stream = this.#streams.get(topic);
    return stream && stream.keptUntil > now ? stream : undefined;
  }

  #streamOf(topic: string, { ttlMs }: Retention, now: number): PublicationStream {
    const known = this.#kept(topic, now);
    if (known) return known;
    const stream = new PublicationStream(unpublishedEpoch(this.term, topic, now));
    // The expiry of a stream that has outlived its time, but was not swept yet, is still to come up.
    const isListed = this.#streams.has(topic);
    this.#streams.set(topic, stream);
    if (!isListed) this.#streamExpiries.add(topic, now + Math.min(ttlMs, LOOK_MS));
    return stream;
  }

  #sweep(now: number): void {
    for (let left = SWEPT_AT_ONCE; left > 0; left--) {
      const topic = this.#streamExpiries.take(now);
      if (topic === undefined) break;
      const stream = this.#streams.get(topic)!;
      stream.forget(now);
      if (stream.keptUntil <= now) this.#streams.delete(topic);
      else this.#streamExpiries.add(topic, now + LOOK_MS);
    }
    for (let left = SWEPT_AT_ONCE; left > 0; left--) {
      const name = this.#keyExpiries.take(now);
      if (name === undefined) break;
      // A key that was reused after its expiry comes due twice.
      const known = this.#keys.get(name);
      if (known && known.until <= now) this.#keys.delete(name);
    }
  }
}
