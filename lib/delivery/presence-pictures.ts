import { SafeLogger } from '../errors/safe-logger.js';
import { Injectable } from '@nestjs/common';
import type { PresenceNews, PresencePosition } from '../core/presence/presence-position.js';
import type { PresenceChange } from '../core/presence/presence.js';
import { ToldPicture } from '../core/presence/told-picture.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { PresenceStore } from '../ports/presence-store.js';
import { LocalDelivery } from './local-delivery.js';
import { PresenceWatchers, type WatchedTopics } from './presence-watchers.js';

/** Most users of a topic of which a picture is kept. */
const MAX_USERS = 10_000;

/** How often it is tried again to read what could not be read, in milliseconds. */
const TICK_MS = 500;

/** It is looked where topics are once in so many ticks. */
const TICKS_PER_LOOK = 4;

/** Most pictures that are read at once. */
const MAX_READS = 16;

/** A topic with watchers on this node. */
interface Watched {
  readonly topic: string;
  readonly picture: ToldPicture;
  reading: Promise<void> | undefined;
}

/**
 * Keeps true what this node tells the watchers of topics, whatever the bus loses: finds gaps by the numbers of changes, when
 * the node is attached again and by looking at a steady pace, reads the topic, and tells the difference.
 */
@Injectable()
export class PresencePictures implements WatchedTopics {
  readonly #logger = new SafeLogger(PresencePictures.name);
  readonly #topics = new Map<string, Watched>();
  #reads = 0;
  #ticks = 0;
  #isLate = false;
  #isLooking = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly watchers: PresenceWatchers,
    private readonly delivery: LocalDelivery,
    private readonly store: PresenceStore,
  ) {}

  start(): void {
    this.watchers.follow(this);
    this.#timer = setInterval(this.#tick, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#topics.clear();
  }

  watch(topic: string): void {
    const watched = { topic, picture: new ToldPicture(MAX_USERS), reading: undefined };
    this.#topics.set(topic, watched);
    void this.#read(watched);
  }

  unwatch(topic: string): void {
    this.#topics.delete(topic);
  }

  hear(topic: string, news: PresenceNews): readonly PresenceChange[] {
    const watched = this.#topics.get(topic);
    if (watched === undefined) return NOTHING;
    const changes = watched.picture.hear(news);
    if (watched.picture.isDoubtful) void this.#read(watched);
    return changes;
  }

  /** This node is attached again: news may have been missed in any topic. */
  readonly doubtAll = (): void => {
    this.#isLate = true;
    void this.#look();
  };

  /**
   * Reads who is in a topic for one who watches it, no older than what watchers were told.
   * @param read reads it from the store
   * @throws RealtimeError `UNAVAILABLE` when it cannot be read
   */
  async answer<R extends { readonly at?: PresencePosition }>(topic: string, read: () => R | Promise<R>): Promise<R> {
    const watched = this.#topics.get(topic);
    if (watched === undefined) return read();
    // What is lost before there is a picture would not be noticed.
    if (!watched.picture.hasBegun) await (this.#read(watched) ?? watched.reading);
    if (!watched.picture.hasBegun && this.#topics.get(topic) === watched) throw unavailable();
    let reading = await read();
    for (let time = 0; time < MAX_OVERTAKEN && reading.at && watched.picture.isAheadOf(reading.at); time++) {
      reading = await read();
    }
    return reading;
  }

  readonly #tick = (): void => {
    this.#ticks += 1;
    if (this.#isLate || this.#ticks % TICKS_PER_LOOK === 0) void this.#look();
    if (this.#ticks % TICKS_PER_LOOK === 0) this.#readDoubtful();
  };

  /** Asks where the topics are. What is behind is read. */
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

  /** @returns a promise for its end, which does not reject; nothing when it is read already */
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
      const { changes, isReset } = read ? picture.compare(read) : picture.tooLarge();
      if (isReset) this.delivery.resetPresence(topic);
      else this.delivery.tellPresence(topic, changes);
    } catch (error) {
      picture.failed();
      if (!(error instanceof RealtimeError)) this.#logger.error(`Presence of "${topic}" could not be compared`, error);
    }
  }
}

/** How often an answer is read again because news that are newer have overtaken it. */
const MAX_OVERTAKEN = 10;

const NOTHING: readonly PresenceChange[] = [];

function unavailable(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'Nobody can tell at the moment who is in the topic; try again.');
}
