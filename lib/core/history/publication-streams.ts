import { Expiries } from '../base/expiries.js';
import type { HistoryPage, HistoryRange, Retention, StreamPosition } from './history.js';
import { PublicationStream } from './publication-stream.js';
import { unpublishedEpoch } from './unpublished-epoch.js';

/** For how long an idempotency key is remembered, in milliseconds. */
export const KEY_LIFE_MS = 300_000;

/** How often a stream is looked at, in milliseconds: it may hold what is over for this much longer. */
const LOOK_MS = 60_000;

/** Most that is swept at one call; more than it can add. */
const SWEPT_AT_ONCE = 100;

/** What has become of a message. */
export interface Appended {
  readonly position: StreamPosition;
  /** True when the key is known: the position is that of the publication that was made with it. */
  readonly isRepeated: boolean;
}

/**
 * The recent past of all topics, as far as it is to be kept. Whatever is over is swept by later calls, each of them a few.
 * Changed in place by its one owner, who says the time in milliseconds.
 */
export class PublicationStreams {
  readonly #streams = new Map<string, PublicationStream>();
  readonly #streamExpiries = new Expiries<string>();
  readonly #keys = new Map<string, { readonly position: StreamPosition; readonly until: number }>();
  readonly #keyExpiries = new Expiries<string>();

  /** @param term names this store: no other one, before or beside it, has the same */
  constructor(private readonly term: string) {}

  /** How many topics, publications and keys are held; to look for leaks. */
  get held(): number {
    let held = this.#streams.size + this.#keys.size;
    for (const { size } of this.#streams.values()) held += size;
    return held;
  }

  /**
   * Adds a message to a topic, unless the key is known.
   * @param key makes it one with what was added with the same key before
   */
  append(topic: string, text: string, retention: Retention, now: number, key?: string): Appended {
    this.#sweep(now);
    // Keys are for topics of the application, and none of those has a space in it.
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

  /** Finds some publications of a topic, and where it stands. */
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
      // A key that was used again after its time comes up a second time.
      const known = this.#keys.get(name);
      if (known && known.until <= now) this.#keys.delete(name);
    }
  }
}
