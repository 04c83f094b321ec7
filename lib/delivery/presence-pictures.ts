import { SafeLogger } from '../errors/safe-logger.js';
import type { PresenceNews, PresencePosition, PresenceReading } from '../core/presence/presence-position.js';
import type { Presence, PresenceChange } from '../core/presence/presence.js';
import { ToldPicture } from '../core/presence/told-picture.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { PresenceStore } from '../ports/presence-store.js';
import { LocalDelivery } from './local-delivery.js';
import { PresenceCoalescing } from './presence-coalescing.js';
import { PresenceWatchers, type WatchedTopics } from './presence-watchers.js';

/** A picture is kept only for topics with at most this many users. */
const MAX_USERS = 10_000;

/** The interval at which failed reads are retried, in milliseconds. */
const TICK_MS = 500;

/** The positions of topics are checked once in this many ticks. */
const TICKS_PER_LOOK = 4;

/** Most pictures that are read concurrently. */
const MAX_READS = 16;

/** A topic with watchers on this node. */
interface Watched {
  readonly topic: string;
  readonly picture: ToldPicture;
  reading: Promise<void> | undefined;
}

/**
 * Keeps the watchers of this node consistent with the presence of their topics, even if the bus loses changes. It detects
 * gaps by the numbers of changes, after the node was attached again, and by periodic checks. After a gap it reads the topic
 * and sends the difference. Changes of one user in a short time are coalesced.
 */
export class PresencePictures implements WatchedTopics {
  readonly #logger = new SafeLogger(PresencePictures.name);
  readonly #topics = new Map<string, Watched>();
  readonly #coalescing: PresenceCoalescing;
  #reads = 0;
  #ticks = 0;
  #isLate = false;
  #isLooking = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param coalesceMs watchers are told about one user in one topic at most once in this time, in milliseconds; 0: no limit */
  constructor(
    private readonly watchers: PresenceWatchers,
    private readonly delivery: LocalDelivery,
    private readonly store: PresenceStore,
    coalesceMs: number,
  ) {
    this.#coalescing = new PresenceCoalescing(
      coalesceMs,
      (topic, changes, audience) => void delivery.tellPresence(topic, changes, audience),
    );
  }

  start(): void {
    this.watchers.follow(this);
    this.#timer = setInterval(this.#tick, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#coalescing.stop();
    this.#topics.clear();
  }

  watch(topic: string): void {
    const watched = { topic, picture: new ToldPicture(MAX_USERS), reading: undefined };
    this.#topics.set(topic, watched);
    void this.#read(watched);
  }

  unwatch(topic: string): void {
    this.#topics.delete(topic);
    this.#coalescing.forget(topic);
  }

  hear(topic: string, news: PresenceNews): readonly PresenceChange[] {
    const watched = this.#topics.get(topic);
    if (watched === undefined) return NOTHING;
    const { picture } = watched;
    const wasDoubtful = picture.isDoubtful;
    const changes = picture.hear(news);
    // While nodes have yet to report, a picture stays doubtful: it is read at intervals then, not with each change.
    if (!wasDoubtful && picture.isDoubtful) void this.#read(watched);
    return this.#coalescing.take(topic, changes);
  }

  /** Rechecks every topic: the node was attached again, and changes may have been missed in any of them. */
  readonly doubtAll = (): void => {
    this.#isLate = true;
    void this.#look();
  };

  /**
   * Reads the members of a topic for a watcher; the result is never older than the changes that watchers have received.
   * @param read reads it from the store
   * @throws RealtimeError `UNAVAILABLE` when it cannot be read
   */
  async answer<R extends { readonly at?: PresencePosition }>(topic: string, read: () => R | Promise<R>): Promise<R> {
    const watched = this.#topics.get(topic);
    if (watched === undefined) return read();
    // A change lost before there is a picture would go unnoticed.
    if (!watched.picture.hasBegun) await (this.#read(watched) ?? watched.reading);
    if (!watched.picture.hasBegun && this.#topics.get(topic) === watched) throw unavailable();
    let reading = await read();
    for (let time = 0; time < MAX_OVERTAKEN && reading.at && watched.picture.isAheadOf(reading.at); time++) {
      reading = await read();
    }
    return reading;
  }

  /**
   * Completes an answer, so that it is not older than the changes that its recipient has received, and what the recipient is
   * told afterwards leads to the right picture. Call it immediately before the answer is sent.
   */
  answering(reading: PresenceReading, connectionId: string): Presence {
    const { topic, at } = reading;
    const picture = this.#topics.get(topic)?.picture;
    if (picture === undefined) return reading;
    // Where no change can be lost, each one is heard before a read can contain it.
    const isOvertaken = at === undefined || picture.isAheadOf(at);
    const presence = isOvertaken ? this.#coalescing.asHeard(reading) : reading;
    if (this.watchers.of(topic).has(connectionId)) this.#coalescing.answered(presence, connectionId);
    return presence;
  }

  readonly #tick = (): void => {
    this.#ticks += 1;
    if (this.#isLate || this.#ticks % TICKS_PER_LOOK === 0) void this.#look();
    if (this.#ticks % TICKS_PER_LOOK === 0) this.#readDoubtful();
  };

  /** Checks the positions of the topics, and reads the pictures that are behind. */
  async #look(): Promise<void> {
    if (this.#isLooking || this.#topics.size === 0) return;
    const isLate = this.#isLate;
    const all = [...this.#topics.values()];
    this.#isLooking = true;
    this.#isLate = false;
    try {
      const positions = await this.store.positions(all.map(({ topic }) => topic));
      all.forEach(({ picture }, index) => {
        const position = positions[index];
        if (position) picture.look(position, isLate);
      });
    } catch {
      this.#isLate ||= isLate;
    }
    this.#isLooking = false;
    this.#readDoubtful();
  }

  #readDoubtful(): void {
    for (const watched of this.#topics.values()) {
      if (this.#reads >= MAX_READS) break;
      if (watched.picture.isDoubtful) void this.#read(watched);
    }
  }

  /** @returns a promise for its end, which never rejects; nothing if the limit of concurrent reads is reached */
  #read(watched: Watched): Promise<void> | undefined {
    if (watched.reading || this.#reads >= MAX_READS) return watched.reading;
    this.#reads += 1;
    watched.reading = this.#compare(watched).finally(() => {
      this.#reads -= 1;
      watched.reading = undefined;
    });
    return watched.reading;
  }

  async #compare({ topic, picture }: Watched): Promise<void> {
    picture.begin();
    try {
      const read = await this.store.picture(topic, MAX_USERS);
      if (this.#topics.get(topic)?.picture !== picture) return;
      const isFirst = !picture.hasBegun;
      const { changes, isReset } = read ? picture.compare(read) : picture.tooLarge();
      // The picture that was kept until now is not compared with anything, so it may be wrong.
      if (isReset || (isFirst && picture.hasBegun)) this.#coalescing.settle(topic);
      if (isReset) this.delivery.resetPresence(topic);
      else void this.delivery.tellPresence(topic, this.#coalescing.take(topic, changes));
    } catch (error) {
      picture.failed();
      if (!(error instanceof RealtimeError)) this.#logger.error(`Presence of "${topic}" could not be compared`, error);
    }
  }
}

/** Most repeated reads of an answer that newer changes have overtaken. */
const MAX_OVERTAKEN = 10;

const NOTHING: readonly PresenceChange[] = [];

function unavailable(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'The presence of the topic is unavailable at the moment; try again.');
}
