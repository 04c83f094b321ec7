import { Injectable } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { role, topic, user, type Address } from '../core/routing/address.js';
import { personalTopic } from '../core/topic/reserved-topic.js';
import { subjectOf } from '../core/bus/subject.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { MessageBus } from '../ports/message-bus.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { TopicHold } from './held-topics.js';
import { LocalDelivery } from './local-delivery.js';
import { PendingSubscribers } from './pending-subscribers.js';
import type { TopicEntry } from './topic-entry.js';
import { TopicStreams } from './topic-streams.js';
import { SafeLogger } from '../errors/safe-logger.js';

/** The join of a subject that is not active yet: it is under way, or has failed. */
interface Join {
  readonly settled: Promise<void>;
  hasFailed: boolean;
}

/**
 * The only way to enter and leave this node's addresses and topics. The indexes and the joined subjects stay in step:
 * with the first local member of an address the node joins its subject, with the last it leaves. The index changes first, so
 * nothing can arrive unrouted. Before that the connection is given what was sent before, in case that still waits.
 *
 * A returned promise fulfils once the change is active; nothing is returned when it is active at once. A member that comes
 * while a join is under way waits for it. After a failed join, or while the bus is unavailable, the next member retries it.
 */
@Injectable()
export class Membership {
  readonly #logger = new SafeLogger(Membership.name);
  readonly #joins = new Map<string, Join>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
    private readonly bus: MessageBus,
    private readonly streams: TopicStreams,
    private readonly pending: PendingSubscribers,
  ) {}

  /**
   * Makes a connection reachable.
   * @param personal how the connection enters its user's personal topic, if it has one
   */
  add(connection: RealtimeConnection, target: DeliveryTarget, personal?: TopicEntry): void | Promise<unknown> {
    const { id, userId } = connection;
    if (personal?.stream) this.streams.hold(personalTopic(userId), id, personal.stream);
    this.registry.set(connection);
    this.delivery.attach(id, target);
    const joined = this.#join(connection.roles.size === 0 ? [user(userId)] : [user(userId), ...rolesOf(connection)]);
    if (!personal?.stream) return joined;
    const start = () => this.streams.enter(personalTopic(userId), id, personal);
    return joined ? joined.then(start) : start();
  }

  /** Replaces the snapshot of a connection; the user stays the same, roles may be added and removed. */
  update(connection: RealtimeConnection): void | Promise<void> {
    if (!this.delivery.catchUp(connection.id)) return;
    const before = this.registry.get(connection.id);
    this.registry.set(connection);
    const lost = before ? rolesOf(before).filter(({ id }) => !connection.roles.has(id)) : [];
    const gained = rolesOf(connection).filter(({ id }) => !before?.roles.has(id));
    this.#leave(lost);
    return this.#join(gained);
  }

  /** Gives a connection what was sent before and still waits for it. */
  catchUp(connectionId: string): void {
    this.delivery.catchUp(connectionId);
  }

  /**
   * Gives a connection the messages that wait for it because newer ones may replace them, unless it cannot take them.
   * @param topics default: all that it is subscribed to
   */
  settle(connectionId: string, topics?: readonly string[]): void {
    const { paces } = this.delivery;
    if (!paces.isEmpty) paces.settle(topics ?? this.pubSub.topicsOf(connectionId), connectionId);
  }

  /**
   * Writes to a connection the messages of a topic that wait for it, even if it cannot take them at the moment. Call it before the
   * connection is told of a position in the topic, so that nothing older follows.
   */
  flush(connectionId: string, name: string): void {
    const { paces } = this.delivery;
    if (!paces.isEmpty) paces.flush(name, connectionId);
  }

  /** Forgets a connection and all its subscriptions. @returns the topics it was subscribed to */
  remove(connectionId: string): readonly string[] {
    const topics = this.pubSub.unsubscribeAll(connectionId);
    const connection = this.registry.remove(connectionId);
    const target = this.delivery.detach(connectionId);
    for (const name of topics) this.#leftTopic(name, connectionId);
    this.#leave(topics.map(topic));
    if (connection) {
      if (target?.hasPersonalTopic) this.#leftTopic(personalTopic(connection.userId), connectionId);
      this.#leave([user(connection.userId), ...rolesOf(connection)]);
    }
    return topics;
  }

  /**
   * Subscribes a connection to a topic: publications are withheld, the node joins the topic's subject, the position is read
   * where the topic keeps a history, and delivery starts with `entry.onStart`.
   * @returns whether the connection is subscribed: false if it has left meanwhile. The result is a promise if there is
   * something to wait for; it rejects if the bus cannot be joined or the history cannot be read, and the caller must then leave
   */
  enter(connectionId: string, name: string, entry: TopicEntry): boolean | Promise<boolean> {
    if (!this.delivery.catchUp(connectionId)) return false;
    // A connection that is in the topic already goes on receiving meanwhile.
    if (!this.pubSub.isSubscribed(connectionId, name)) {
      if (entry.stream) this.streams.hold(name, connectionId, entry.stream);
      else this.pending.hold(name, connectionId);
    }
    const isFirst = this.pubSub.subscribe(connectionId, name) && this.pubSub.subscribersOf(name).size === 1;
    const joined = this.#joinSubject(subjectOf(topic(name))!, isFirst);
    return joined ? joined.then(() => this.#start(connectionId, name, entry)) : this.#start(connectionId, name, entry);
  }

  #start(connectionId: string, name: string, entry: TopicEntry): boolean | Promise<boolean> {
    // An order that still waits may end the connection.
    this.delivery.catchUp(connectionId);
    if (!this.pubSub.isSubscribed(connectionId, name)) return false;
    if (entry.pace) {
      const recovers = entry.stream !== undefined && entry.wish.recover !== undefined;
      this.delivery.paces.enter(name, connectionId, entry.pace, recovers);
    }
    if (entry.stream) {
      const started = this.streams.enter(name, connectionId, entry);
      return started?.then((isIn) => isIn && this.pubSub.isSubscribed(connectionId, name)) ?? true;
    }
    this.pending.release(name, connectionId);
    entry.onStart();
    return true;
  }

  /** @returns true when there was a subscription */
  unsubscribe(connectionId: string, name: string): boolean {
    this.delivery.catchUp(connectionId);
    const wasSubscribed = this.pubSub.unsubscribe(connectionId, name);
    if (!wasSubscribed) return false;
    this.#leftTopic(name, connectionId);
    this.#leave([topic(name)]);
    return true;
  }

  /** Keeps what arrives for a subscription in a hold, until {@link endHold} or the end of the subscription. */
  hold(connectionId: string, name: string, hold: TopicHold): void {
    if (!this.delivery.catchUp(connectionId)) return;
    this.delivery.held.begin(name, connectionId, hold);
  }

  /** Ends a hold: what arrives from now on is delivered at once. */
  endHold(connectionId: string, name: string): void {
    this.delivery.catchUp(connectionId);
    this.delivery.held.end(name, connectionId);
  }

  #leftTopic(name: string, connectionId: string): void {
    this.delivery.paces.left(name, connectionId);
    this.endHold(connectionId, name);
    this.pending.release(name, connectionId);
    this.streams.left(name, connectionId, this.delivery.idsOf(topic(name)).size === 0);
  }

  /** Joins the subjects whose first local member has just come, and waits for joins that are under way. */
  #join(addresses: readonly Address[]): void | Promise<void> {
    let waiting: Promise<void>[] | undefined;
    for (const address of addresses) {
      const joined = this.#joinSubject(subjectOf(address)!, this.delivery.idsOf(address).size === 1);
      if (joined) (waiting ??= []).push(joined);
    }
    return waiting && Promise.all(waiting).then(() => undefined);
  }

  /** @param isFirst true when this node had no member of the subject before */
  #joinSubject(subject: string, isFirst: boolean): Promise<void> | undefined {
    const join = this.#joins.get(subject);
    if (isFirst || join?.hasFailed) return this.#beginJoin(subject);
    return join?.settled ?? (this.bus.isAttached ? undefined : this.#beginJoin(subject));
  }

  #beginJoin(subject: string): Promise<void> | undefined {
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
      left?.catch((error: unknown) => this.#logger.warn('Unsubscribing from the bus failed', (error as Error)?.stack));
    }
  }
}

function rolesOf(connection: RealtimeConnection): { readonly kind: 'role'; readonly id: string }[] {
  return [...connection.roles].map((name) => role(name) as { kind: 'role'; id: string });
}
