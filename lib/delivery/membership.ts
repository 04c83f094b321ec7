import { Injectable, Logger } from '@nestjs/common';
import type { RealtimeConnection } from '../core/connection.js';
import { role, topic, user, type Address } from '../core/address.js';
import { subjectOf } from '../core/subject.js';
import { ConnectionRegistry } from '../ports/connection-registry.js';
import { MessageBus } from '../ports/message-bus.js';
import { PubSubManager } from '../ports/pub-sub-manager.js';
import type { DeliveryTarget } from './delivery-target.js';
import { LocalDelivery } from './local-delivery.js';

/**
 * Keeps the indexes of this node and what it has joined on the bus in step: with the first local member of an address
 * the node joins its subject, with the last it leaves. The index changes first, so nothing can arrive unrouted.
 *
 * Where a promise is returned, the change is in force once it has settled; nothing is returned when it is at once.
 */
@Injectable()
export class Membership {
  readonly #logger = new Logger(Membership.name);
  readonly #joining = new Map<string, Promise<void>>();

  constructor(
    private readonly registry: ConnectionRegistry,
    private readonly pubSub: PubSubManager,
    private readonly delivery: LocalDelivery,
    private readonly bus: MessageBus,
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
    this.delivery.detach(connectionId);
    this.#leave(topics.map(topic));
    if (connection) this.#leave([user(connection.userId), ...rolesOf(connection)]);
    return topics;
  }

  subscribe(connectionId: string, name: string): void | Promise<void> {
    const isNew = this.pubSub.subscribe(connectionId, name);
    return isNew ? this.#join([topic(name)]) : this.#joining.get(subjectOf(topic(name))!);
  }

  /** @returns true when there was a subscription */
  unsubscribe(connectionId: string, name: string): boolean {
    const wasSubscribed = this.pubSub.unsubscribe(connectionId, name);
    if (wasSubscribed) this.#leave([topic(name)]);
    return wasSubscribed;
  }

  /** Joins the subjects whose first local member has just come, and waits with those who came while that is under way. */
  #join(addresses: readonly Address[]): void | Promise<void> {
    let waiting: Promise<void>[] | undefined;
    for (const address of addresses) {
      const subject = subjectOf(address)!;
      const joined = this.delivery.idsOf(address).size === 1 ? this.#start(subject) : this.#joining.get(subject);
      if (joined) (waiting ??= []).push(joined);
    }
    return waiting && Promise.all(waiting).then(() => undefined);
  }

  #start(subject: string): Promise<void> | undefined {
    const joined = this.bus.join(subject);
    if (!joined) return undefined;
    const settled = joined.finally(() => {
      if (this.#joining.get(subject) === settled) this.#joining.delete(subject);
    });
    this.#joining.set(subject, settled);
    return settled;
  }

  /** Leaves the subjects whose last local member has just gone. */
  #leave(addresses: readonly Address[]): void {
    for (const address of addresses) {
      if (this.delivery.idsOf(address).size > 0) continue;
      const left = this.bus.leave(subjectOf(address)!);
      left?.catch((error: unknown) => this.#logger.warn('Leaving a subject failed', (error as Error)?.stack));
    }
  }
}

function rolesOf(connection: RealtimeConnection): { readonly kind: 'role'; readonly id: string }[] {
  return [...connection.roles].map((name) => role(name) as { kind: 'role'; id: string });
}
