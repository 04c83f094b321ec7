import { Injectable } from '@nestjs/common';
import { isFinalClose } from '../../core/protocol/close-code.js';
import type { RealtimeConnection } from '../../core/connection/connection.js';
import type { WireError } from '../../core/protocol/error-code.js';
import { onlineTopic } from '../../core/topic/reserved-topic.js';
import type { Presence } from '../../core/presence/presence.js';
import { LocalPresence } from '../../delivery/local-presence.js';
import { PresenceWatchers } from '../../delivery/presence-watchers.js';
import { TopicHandlerRegistry } from '../../handlers/topic-handler.registry.js';
import { NO_TOPIC } from '../../handlers/topic-refusals.js';
import { PresenceStore } from '../../ports/presence-store.js';
import { RealtimeSettings } from '../../options/realtime.options.js';

/** What sessions say and ask about who is in the topics whose gateways want it known, and about who is online. */
@Injectable()
export class TopicPresence {
  constructor(
    private readonly settings: RealtimeSettings,
    private readonly topics: TopicHandlerRegistry,
    private readonly local: LocalPresence,
    private readonly watchers: PresenceWatchers,
    private readonly store: PresenceStore,
  ) {}

  /** A connection may be used from now on. */
  opened(connection: RealtimeConnection): void {
    if (this.settings.presence.online) this.local.enter(onlineTopic(connection.userId), connection);
  }

  /**
   * A subscription is in force, or stays so.
   * @param info what the application has said about the subscriber now
   * @param isWatching whether the client is to be told who joins and leaves; `undefined`: as before
   */
  entered(topic: string, connection: RealtimeConnection, info?: unknown, isWatching?: boolean): void {
    if (isWatching) this.watchers.watch(topic, connection.id);
    else if (isWatching === false) this.watchers.unwatch(topic, connection.id);
    if (this.topics.find(topic)?.gateway.options.presence) this.local.enter(topic, connection, info);
  }

  /** A subscription was ended, by whomever, and the connection goes on. */
  left(topic: string, connection: RealtimeConnection): void {
    this.watchers.unwatch(topic, connection.id);
    this.local.leave(topic, connection);
  }

  /** A connection has ended. Who was told to stay away, is not waited for. */
  ended(connection: RealtimeConnection, topics: readonly string[], code: number): void {
    for (const topic of topics) this.watchers.unwatch(topic, connection.id);
    for (const topic of [...topics, onlineTopic(connection.userId)]) {
      if (isFinalClose(code)) this.local.leave(topic, connection);
      else this.local.drop(topic, connection);
    }
  }

  /** Why clients are not told who is in a topic; `undefined` when they may be. */
  refusalOf(topic: string): WireError | undefined {
    const options = this.topics.find(topic)?.gateway.options;
    if (!options) return NO_TOPIC;
    if (options.clientAccess === false) return SECRET;
    return options.presence ? undefined : NO_PRESENCE;
  }

  /** @throws RealtimeError `UNAVAILABLE` when nobody can tell at the moment */
  read(topic: string): Presence | Promise<Presence> {
    return this.store.read(topic, this.settings.limits.maxPresenceUsers);
  }
}

const NO_PRESENCE: WireError = { code: 'NO_HANDLER', message: 'Nobody knows who is in this topic.' };
const SECRET: WireError = { code: 'FORBIDDEN', message: 'Clients are not told who is in this topic.' };
