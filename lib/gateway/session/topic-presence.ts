import { Injectable } from '@nestjs/common';
import { isFinalClose } from '../../core/protocol/close-code.js';
import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { onlineTopic } from '../../core/topic/reserved-topic.js';
import type { PresenceReading } from '../../core/presence/presence-position.js';
import type { Presence } from '../../core/presence/presence.js';
import { LocalPresence } from '../../delivery/local-presence.js';
import { PresencePictures } from '../../delivery/presence-pictures.js';
import { PresenceWatchers } from '../../delivery/presence-watchers.js';
import { TopicPolicies } from '../../delivery/topic-policies.js';
import { NO_TOPIC } from '../../handlers/topic-refusals.js';
import { PresenceStore } from '../../ports/presence-store.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { fittingMembers } from './fitting-members.js';

/** Tracks the members of topics with presence, and the users who are online, for all sessions of this node. */
@Injectable()
export class TopicPresence {
  constructor(
    private readonly settings: RealtimeSettings,
    private readonly policies: TopicPolicies,
    private readonly local: LocalPresence,
    private readonly watchers: PresenceWatchers,
    private readonly store: PresenceStore,
    private readonly pictures: PresencePictures,
  ) {}

  /** Tracks a connection after its welcome and hooks. */
  opened(connection: RealtimeConnection): void {
    if (this.settings.presence.online) this.local.enter(onlineTopic(connection.userId), connection);
  }

  /**
   * Tracks a subscription that has become active, or was confirmed again.
   * @param info the application's info about the subscriber
   * @param isWatching whether the client receives joins and leaves; `undefined` leaves it as it is
   */
  entered(topic: string, connection: RealtimeConnection, info?: unknown, isWatching?: boolean): void {
    if (isWatching) this.watchers.watch(topic, connection.id);
    else if (isWatching === false) this.watchers.unwatch(topic, connection.id);
    if (this.policies.of(topic)?.presence) this.local.enter(topic, connection, info);
  }

  /** Tracks the end of a subscription whose connection stays open. */
  left(topic: string, connection: RealtimeConnection): void {
    this.watchers.unwatch(topic, connection.id);
    this.local.leave(topic, connection);
  }

  /** Tracks the end of a connection. A close code that forbids reconnecting skips the grace period. */
  ended(connection: RealtimeConnection, topics: readonly string[], code: number): void {
    for (const topic of topics) this.watchers.unwatch(topic, connection.id);
    for (const topic of [...topics, onlineTopic(connection.userId)]) {
      if (isFinalClose(code)) this.local.leave(topic, connection);
      else this.local.drop(topic, connection);
    }
  }

  /** The error for clients that may not read the members of a topic; `undefined` if they may. */
  refusalOf(topic: string): WireError | undefined {
    const policy = this.policies.of(topic);
    if (!policy) return NO_TOPIC;
    if (policy.clientAccess === false) return SECRET;
    return policy.presence ? undefined : NO_PRESENCE;
  }

  /**
   * Reads the members of a topic: everything that this node has confirmed to clients is in the result.
   * @throws RealtimeError `UNAVAILABLE` when the members cannot be read at the moment
   */
  read(topic: string): Promise<PresenceReading> {
    return this.pictures.answer(topic, () => this.store.read(topic, this.settings.limits.maxPresenceUsers));
  }

  /** Completes an answer for a connection; call it immediately before the answer is sent. */
  answering(reading: PresenceReading, connectionId: string): Presence {
    return this.pictures.answering(reading, connectionId);
  }

  /** Limits an answer to half of `limits.sendQueueBytes`: a client that reads must not be closed as slow for it. */
  fitting(presence: Presence): Presence {
    return fittingMembers(presence, this.settings.limits.sendQueueBytes / 2);
  }
}

const NO_PRESENCE: WireError = { code: 'NO_HANDLER', message: 'This topic has no presence.' };
const SECRET: WireError = { code: 'FORBIDDEN', message: 'Clients may not read the presence of this topic.' };
