import type { StreamPosition } from '../../core/history/history.js';
import type { Push } from '../../core/protocol/push.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { NodeMeter } from '../../delivery/node-meter.js';
import type { TopicEntry } from '../../delivery/topic-entry.js';
import type { FramedPage } from '../../delivery/topic-stream.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { Codec } from '../../ports/codec.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { ClientReplies } from './client-replies.js';
import type { PageTurns, TakePage } from './page-turns.js';
import { streamSettingsOf } from './stream-settings.js';

interface Services {
  readonly settings: Pick<RealtimeSettings, 'limits'>;
  readonly policies: TopicPolicies;
  readonly meter: Pick<NodeMeter, 'recovered' | 'resent'>;
}

/** The subscription of a connection to its user's personal topic, which keeps the messages to the user. */
export class PersonalTopicSubscription {
  readonly topic: string;
  /** The entry of the connection into the topic, made when it becomes reachable. */
  readonly entry: TopicEntry;
  #start: FramedPage | undefined;
  #isWelcomed = false;
  /** The next page, which waits for the welcome. */
  #next: TakePage | undefined;

  /**
   * @param recover the positions to recover from, by topic, when the client asked for it
   * @param pages the pages that the client gets
   */
  constructor(
    userId: string,
    recover: ReadonlyMap<string, StreamPosition> | undefined,
    private readonly services: Services,
    private readonly replies: Pick<ClientReplies, 'answersWithPublications' | 'sendAll'>,
    private readonly pages: Pick<PageTurns, 'add'>,
  ) {
    const { settings, policies } = services;
    this.topic = personalTopic(userId);
    const stream = streamSettingsOf(this.topic, policies, settings.limits);
    const onStart = (start?: FramedPage) => void (this.#start = start);
    this.entry = stream
      ? {
          stream,
          wish: { recover: recover?.get(this.topic), last: Infinity },
          onStart,
          onPage: (page) => this.#send(page),
          whenReady: (takePage) => this.#whenReady(takePage),
        }
      : { stream, onStart };
  }

  /** True if connections of this codec have a personal topic. */
  static isFor(
    { hasPersonalTopics = false }: Codec,
    { personalTopics }: Pick<RealtimeSettings, 'personalTopics'>,
  ): boolean {
    return hasPersonalTopics && personalTopics !== undefined;
  }

  /** The part of the welcome about this topic. */
  get news(): Pick<Extract<Push, { kind: 'welcome' }>, 'personal'> {
    if (this.#start === undefined) return {};
    const { position, recovered, publications } = this.#start;
    return {
      personal: {
        topic: this.topic,
        position,
        ...(recovered !== undefined && { recovered }),
        ...(this.#isInWelcome && { publications }),
      },
    };
  }

  /** True if the first page of missed publications is part of the welcome. */
  get #isInWelcome(): boolean {
    return this.#start?.recovered === true && this.replies.answersWithPublications;
  }

  /** Sends the first page of missed publications directly after the welcome, unless it was part of it. Later pages wait for the client. */
  welcomed(): void {
    this.#isWelcomed = true;
    const start = this.#start;
    const isSent = this.#isInWelcome;
    this.#start = undefined;
    if (start) {
      this.services.meter.recovered(start.recovered);
      if (!isSent) this.replies.sendAll(start.frames);
      this.#count(start);
    }
    if (this.#next) this.pages.add(this.#next);
    this.#next = undefined;
  }

  #send({ frames }: Pick<FramedPage, 'frames'>): void {
    this.replies.sendAll(frames);
    this.#count({ frames });
  }

  #count({ frames }: Pick<FramedPage, 'frames'>): void {
    if (frames.length > 0) this.services.meter.resent(this.topic, frames.length);
  }

  /** No page goes before the welcome but the first one, which is kept for it. */
  #whenReady(takePage: TakePage): void {
    if (this.#start && !this.#isWelcomed) this.#next = takePage;
    else this.pages.add(takePage);
  }
}
