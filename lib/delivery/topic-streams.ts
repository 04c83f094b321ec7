import { Injectable } from '@nestjs/common';
import { topic as topicAddress, user } from '../core/routing/address.js';
import type { Envelope } from '../core/routing/envelope.js';
import type { Publication, StreamPosition } from '../core/history/history.js';
import { personalTopic } from '../core/topic/reserved-topic.js';
import { HistoryStore } from '../ports/history-store.js';
import { LocalDelivery } from './local-delivery.js';
import { PendingSubscribers } from './pending-subscribers.js';
import { TopicStream, type FramedStreamStart, type StreamSettings } from './topic-stream.js';

/** How often it is looked whether something is to be read again, in milliseconds. */
const TICK_MS = 1_000;

/** A topic in which nothing has happened for so long is checked against its history, in ticks. */
const IDLE_TICKS = 30;

/** Most reads that are under way at once because something may have been missed. */
const MAX_CHECKS = 64;

/**
 * Delivers topics that keep a history: each publication once and in the order of its stream, whatever the bus loses or
 * repeats, and to who was away what it has missed. Everything else goes straight to {@link LocalDelivery}.
 */
@Injectable()
export class TopicStreams {
  /** Those of topics that keep no history. */
  readonly pending = new PendingSubscribers();
  readonly #streams = new Map<string, TopicStream>();
  /** Those that are to be checked, when it is their turn. */
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
   * Hands an envelope to this node's connections.
   * @returns how many it reached; a promise when it has to wait for its turn. Never throws or rejects
   */
  deliver(envelope: Envelope): number | Promise<number> {
    const { content } = envelope;
    if (content.kind !== 'message') return this.delivery.deliver(envelope);
    if (content.position === undefined) return this.delivery.deliver(this.pending.passOver(envelope));
    const [first] = envelope.to;
    const { text, position } = content;
    const publication = { offset: position.offset, text };
    if (first?.kind === 'user') return this.#deliverToUser(first.id, publication, position.epoch);
    const stream = first?.kind === 'topic' ? this.#streams.get(first.id) : undefined;
    return stream === undefined ? this.delivery.deliver(envelope) : stream.arrive(publication, position.epoch);
  }

  /** Whoever of the user's connections is not in the user's own topic gets it at once, as any message to the user. */
  #deliverToUser(userId: string, publication: Publication, epoch: string): number | Promise<number> {
    const name = personalTopic(userId);
    const content = { kind: 'message', text: publication.text } as const;
    const others = this.delivery.deliver({ to: [user(userId)], except: [topicAddress(name)], content });
    return sum(others, this.#streams.get(name)?.arrive(publication, epoch) ?? 0);
  }

  /** From now on the connection gets nothing of the topic until it has entered; to be called before it subscribes. */
  hold(topic: string, connectionId: string, settings: StreamSettings): void {
    let stream = this.#streams.get(topic);
    if (stream === undefined) {
      stream = new TopicStream(topic, settings, this.delivery, this.history);
      // At random, so that topics which were entered together are not checked together.
      stream.idleTicks = Math.floor(Math.random() * IDLE_TICKS);
      this.#streams.set(topic, stream);
    }
    stream.hold(connectionId);
  }

  /**
   * Lets a connection in, once its subscription is in force on the bus.
   * @param asked where it was, when it wishes to recover
   * @param admit told where everything begins that the connection gets from then on; not called when it leaves before
   * @returns nothing when it is in, else a promise for whether it came in before it left; it rejects with `UNAVAILABLE` when the
   * history cannot be read
   */
  enter(
    topic: string,
    connectionId: string,
    asked: StreamPosition | undefined,
    admit: (admission: FramedStreamStart) => void,
  ): Promise<boolean> | undefined {
    return this.#streams.get(topic)?.enter(connectionId, asked, admit);
  }

  /** A connection is not in the topic any more. @param isEmpty true when no other connection of this node is */
  left(topic: string, connectionId: string, isEmpty: boolean): void {
    this.pending.release(topic, connectionId);
    const stream = this.#streams.get(topic);
    if (stream === undefined) return;
    stream.leave(connectionId);
    if (!isEmpty) return;
    stream.close();
    this.#streams.delete(topic);
    this.#doubtful.delete(stream);
  }

  /** Something may have been missed in any topic. */
  readonly doubtAll = (): void => {
    for (const stream of this.#streams.values()) this.#doubtful.add(stream);
    this.#check();
  };

  /** Checks what is doubtful, a bounded number at a time. */
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

function sum(a: number | Promise<number>, b: number | Promise<number>): number | Promise<number> {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  return Promise.all([a, b]).then(([first, second]) => first + second);
}
