import { Injectable, Logger } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { role, topic, user, type Address } from '../core/routing/address.js';
import { personalTopic } from '../core/topic/reserved-topic.js';
import { subjectOf } from '../core/bus/subject.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { MessageBus } from '../ports/message-bus.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import { LocalDelivery } from './local-delivery.js';
import { TopicStreams } from './topic-streams.js';

/** A subject that is not in force: the join that is under way, or has failed. */
interface Join {
  readonly settled: Promise<void>;
  hasFailed: boolean;
}

/**
 * Keeps the indexes of this node and what it has joined on the bus in step: with the first local member of an address
 * the node joins its subject, with the last it leaves. The index changes first, so nothing can arrive unrouted.
 *
 * Where a promise is returned, the change is in force once it has fulfilled; nothing is returned when it is at once. Who
 * comes while a join is under way waits for it; who comes after it has failed, or while the bus is away, has it tried
 * again.
 */
@Injectable()
export class Membership {
  readonly #logger = new Logger(Membership.name);
  readonly #joins = new Map<string, Join>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
    private readonly bus: MessageBus,
    private readonly streams: TopicStreams,
  ) {}

  /** Makes a connection reachable. */
  add(connection: RealtimeConnection, target: DeliveryTarget): void | Promise<void> {
    this.registry.set(connection);
    this.delivery.attach(connection.id, target);
    return this.#join([user(connection.userId), ...rolesOf(connection)]);
  }

  /** Puts a newer snapshot in place; the user stays the same, roles may come and go. */
  update(connection: RealtimeConnection): void | Promise<void> {
    const before = this.registry.get(connection.id);
    this.registry.set(connection);
    const lost = before ? rolesOf(before).filter(({ id }) => !connection.roles.has(id)) : [];
    const gained = rolesOf(connection).filter(({ id }) => !before?.roles.has(id));
    this.#leave(lost);
    return this.#join(gained);
  }

  /** Forgets a connection and all its subscriptions. @returns the topics it was subscribed to */
  remove(connectionId: string): readonly string[] {
    const topics = this.pubSub.unsubscribeAll(connectionId);
    const connection = this.registry.remove(connectionId);
    const target = this.delivery.detach(connectionId);
    for (const name of topics) this.#leftStream(name, connectionId);
    this.#leave(topics.map(topic));
    if (connection) {
      if (target?.hasPersonalTopic) this.#leftStream(personalTopic(connection.userId), connectionId);
      this.#leave([user(connection.userId), ...rolesOf(connection)]);
    }
    return topics;
  }

  subscribe(connectionId: string, name: string): void | Promise<void> {
    const isFirst = this.pubSub.subscribe(connectionId, name) && this.pubSub.subscribersOf(name).size === 1;
    return this.#enter(subjectOf(topic(name))!, isFirst);
  }

  /** @returns true when there was a subscription */
  unsubscribe(connectionId: string, name: string): boolean {
    const wasSubscribed = this.pubSub.unsubscribe(connectionId, name);
    if (!wasSubscribed) return false;
    this.#leftStream(name, connectionId);
    this.#leave([topic(name)]);
    return true;
  }

  #leftStream(name: string, connectionId: string): void {
    this.streams.left(name, connectionId, this.delivery.idsOf(topic(name)).size === 0);
  }

  /** Joins the subjects whose first local member has just come, and waits with those who came while that is under way. */
  #join(addresses: readonly Address[]): void | Promise<void> {
    let waiting: Promise<void>[] | undefined;
    for (const address of addresses) {
      const joined = this.#enter(subjectOf(address)!, this.delivery.idsOf(address).size === 1);
      if (joined) (waiting ??= []).push(joined);
    }
    return waiting && Promise.all(waiting).then(() => undefined);
  }

  /** @param isFirst true when the node had no member of this subject before */
  #enter(subject: string, isFirst: boolean): Promise<void> | undefined {
    const join = this.#joins.get(subject);
    if (isFirst || join?.hasFailed) return this.#start(subject);
    return join?.settled ?? (this.bus.isAttached ? undefined : this.#start(subject));
  }

  #start(subject: string): Promise<void> | undefined {
    const joined = this.bus.join(subject);
    if (!joined) {
      this.#joins.delete(subject);
      return undefined;
    }
    const join: Join = { settled: joined, hasFailed: false };
    this.#joins.set(subject, join);
    joined.then(
      () => this.#forget(subject, join),
      () => (join.hasFailed = true),
    );
    return joined;
  }

  #forget(subject: string, join: Join): void {
    if (this.#joins.get(subject) === join) this.#joins.delete(subject);
  }

  /** Leaves the subjects whose last local member has just gone. */
  #leave(addresses: readonly Address[]): void {
    for (const address of addresses) {
      if (this.delivery.idsOf(address).size > 0) continue;
      const subject = subjectOf(address)!;
      this.#joins.delete(subject);
      const left = this.bus.leave(subject);
      left?.catch((error: unknown) => this.#logger.warn('Leaving a subject failed', (error as Error)?.stack));
    }
  }
}

function rolesOf(connection: RealtimeConnection): { readonly kind: 'role'; readonly id: string }[] {
  return [...connection.roles].map((name) => role(name) as { kind: 'role'; id: string });
}
