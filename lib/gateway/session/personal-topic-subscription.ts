import type { StreamPosition } from '../../core/history/history.js';
import type { Push } from '../../core/protocol/push.js';
import { personalTopic } from '../../core/topic/reserved-topic.js';
import type { NodeMeter } from '../../delivery/node-meter.js';
import type { TopicEntry } from '../../delivery/topic-entry.js';
import type { TopicPolicies } from '../../delivery/topic-policies.js';
import type { Codec } from '../../ports/codec.js';
import type { RealtimeSettings } from '../../options/realtime.options.js';
import type { ClientReplies } from './client-replies.js';
import { fitting, type FittingStart } from './fitting-start.js';
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
  #start: FittingStart | undefined;

  /** @param recover the positions to recover from, by topic, when the client asked for it */
  constructor(
    userId: string,
    recover: ReadonlyMap<string, StreamPosition> | undefined,
    private readonly services: Services,
  ) {
    const { settings, policies } = services;
    this.topic = personalTopic(userId);
    this.entry = {
      stream: streamSettingsOf(this.topic, policies, settings.limits),
      recover: recover?.get(this.topic),
      onStart: (start) => (this.#start = start && fitting(start, settings.limits)),
    };
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
    const { position, recovered } = this.#start;
    return { personal: { topic: this.topic, position, ...(recovered !== undefined && { recovered }) } };
  }

  /** Sends the missed publications; they must directly follow the welcome. */
  sendMissed(replies: Pick<ClientReplies, 'sendAll'>): void {
    if (this.#start === undefined) return;
    const { frames, recovered } = this.#start;
    this.#start = undefined;
    replies.sendAll(frames);
    this.services.meter.recovered(recovered);
    if (frames.length > 0) this.services.meter.resent(this.topic, frames.length);
  }
}
