import { Injectable } from '@nestjs/common';
import type { Publication } from '../core/history/history.js';
import { HistoryStore } from '../ports/history-store.js';
import { LocalDelivery } from './local-delivery.js';
import { TopicStream, type StreamEntry, type StreamSettings } from './topic-stream.js';

/** The interval at which failed reads are retried, in milliseconds. */
const TICK_MS = 1_000;

/** After this many ticks without a publication, a topic is checked against its history. */
const IDLE_TICKS = 30;

/** Most checks for missed publications that may run at once. */
const MAX_CHECKS = 64;

/**
 * The topics of this node that keep a history. Each publication is delivered once and in the order of its stream, whatever
 * the bus loses or repeats; a subscriber that comes back receives what it has missed, page by page.
 */
@Injectable()
export class TopicStreams {
  readonly #streams = new Map<string, TopicStream>();
  /** Streams that wait for a check. */
  readonly #doubtful = new Set<TopicStream>();
  #checks = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly delivery: LocalDelivery,
    private readonly history: HistoryStore,
  ) {}

  start(): void {
    this.#timer = setInterval(this.#tick, TICK_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
    this.#doubtful.clear();
  }

  /**
   * Takes a publication that the bus has brought.
   * @returns how many connections it reached; a promise when it has to wait for its turn; nothing when no connection of this
   * node is in the topic
   */
  arrive(topic: string, publication: Publication, epoch: string): number | Promise<number> | undefined {
    return this.#streams.get(topic)?.arrive(publication, epoch);
  }

  /** Withholds the topic's publications from the connection until it has entered. Call it before the connection subscribes. */
  hold(topic: string, connectionId: string, settings: StreamSettings): void {
    let stream = this.#streams.get(topic);
    if (stream === undefined) {
      stream = new TopicStream(topic, settings, this.delivery, this.history);
      // A random start keeps topics that were entered together from being checked together.
      stream.idleTicks = Math.floor(Math.random() * IDLE_TICKS);
      this.#streams.set(topic, stream);
    }
    stream.hold(connectionId);
  }

  /**
   * Starts delivery to a connection, once its subscription is active on the bus.
   * @returns nothing when the connection has entered, else a promise that fulfils with false when it left before it entered,
   * and rejects when the history cannot be read
   */
  enter(topic: string, connectionId: string, entry: StreamEntry): Promise<boolean> | undefined {
    return this.#streams.get(topic)?.enter(connectionId, entry);
  }

  /** Ends delivery to a connection. @param isEmpty true when no other connection of this node is in the topic */
  left(topic: string, connectionId: string, isEmpty: boolean): void {
    const stream = this.#streams.get(topic);
    if (stream === undefined) return;
    stream.leave(connectionId);
    if (!isEmpty) return;
    stream.close();
    this.#streams.delete(topic);
    this.#doubtful.delete(stream);
  }

  /** Checks every topic: the bus may have lost publications. */
  readonly doubtAll = (): void => {
    for (const stream of this.#streams.values()) this.#doubtful.add(stream);
    this.#check();
  };

  /** Starts checks, up to the bound. */
  readonly #check = (): void => {
    for (const stream of this.#doubtful) {
      if (this.#checks >= MAX_CHECKS) return;
      this.#doubtful.delete(stream);
      const checked = stream.check();
      if (checked === undefined) continue;
      this.#checks += 1;
      void checked.finally(() => {
        this.#checks -= 1;
        this.#check();
      });
    }
  };

  readonly #tick = (): void => {
    for (const stream of this.#streams.values()) {
      stream.tick();
      if (stream.idleTicks >= IDLE_TICKS) this.#doubtful.add(stream);
    }
    this.#check();
  };
}
