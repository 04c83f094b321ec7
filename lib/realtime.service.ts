import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Observable } from 'rxjs';
import { all, connection, explainAddress, role, topic, user, type Address } from './core/routing/address.js';
import { isProse, MAX_REASON_BYTES } from './core/protocol/close-code.js';
import { oldestFirst, type RealtimeConnection } from './core/connection/connection.js';
import { explainHistoryOptions, type HistoryOptions, type TopicHistory } from './core/history/history-options.js';
import type { DeliveryReport } from './core/routing/delivery-report.js';
import type { EnvelopeContent } from './core/routing/envelope.js';
import type { MessageInput } from './core/message/message-types.js';
import type { NodeCounts, NodeInfo } from './core/bus/node-info.js';
import type { Presence } from './core/presence/presence.js';
import type { Problem } from './core/base/problem.js';
import { explainRights } from './core/identity/rights.js';
import type { RealtimeEvent } from './core/connection/realtime-event.js';
import { explainTopic } from './core/topic/topic.js';
import { ConnectionEvents } from './delivery/connection-events.js';
import { MessageSender } from './delivery/message-sender.js';
import { NodeDrain } from './delivery/node-drain.js';
import { NodeLifecycle } from './delivery/node-lifecycle.js';
import { NodeRequests } from './delivery/node-requests.js';
import { TopicPolicies } from './delivery/topic-policies.js';
import { Recipients, type SendOptions } from './delivery/recipients.js';
import { RealtimeArgumentError } from './errors/realtime-argument.error.js';
import { RealtimeError } from './errors/realtime.error.js';
import { UpgradeHandler } from './gateway/upgrade/upgrade-handler.js';
import { Clock } from './ports/clock.js';
import { inEpoch } from './core/history/recovery.js';
import { HistoryStore } from './ports/history-store.js';
import { MessageBus } from './ports/message-bus.js';
import { NodeDirectory } from './ports/node-directory.js';
import { PresenceStore } from './ports/presence-store.js';
import { RealtimeSettings } from './options/realtime.options.js';

/**
 * How connections are ended.
 * @publicApi
 */
export interface DisconnectOptions {
  /** Why, in prose: it reaches the client in the close frame. At most 123 bytes. Default "disconnected by the application". */
  readonly reason?: string;
  /** True when clients may come back at once (close code 3000); default false (3503, SDKs and well-behaved clients stop). */
  readonly reconnect?: boolean;
}

/**
 * How a subscription is ended.
 * @publicApi
 */
export interface UnsubscribeOptions {
  /** Why, in prose, for the client. At most 123 bytes. Default "unsubscribed by the application". */
  readonly reason?: string;
}

/**
 * How one message is published to a topic.
 * @publicApi
 */
export interface PublishOptions extends SendOptions {
  /**
   * Where the topic keeps a history: two publications with the same key, within 5 minutes, are one, and the second gets the
   * position of the first. 1 to 128 characters. Make it of what is announced (an event's id), and a retry is harmless.
   */
  readonly idempotencyKey?: string;
}

/**
 * How many there are, over all nodes.
 * @publicApi
 */
export type RealtimeCounts = NodeCounts;

/**
 * The roles and permissions of a connection from now on, each as a list or a set; what is left out stays as it is.
 * @publicApi
 */
export interface RightsInput {
  readonly roles?: readonly string[] | ReadonlySet<string>;
  readonly permissions?: readonly string[] | ReadonlySet<string>;
}

/**
 * Sends messages to connected clients. Inject it anywhere, and use it from `onApplicationBootstrap()` on.
 *
 * Every method rejects with {@link RealtimeArgumentError} when an argument cannot be right; nothing was sent then.
 * @publicApi
 */
@Injectable()
export class RealtimeService {
  readonly #requests: NodeRequests;
  readonly #sender: MessageSender;

  /** @internal */
  constructor(
    private readonly bus: MessageBus,
    private readonly directory: NodeDirectory,
    clock: Clock,
    private readonly events: ConnectionEvents,
    private readonly settings: RealtimeSettings,
    private readonly nodeDrain: NodeDrain,
    private readonly historyStore: HistoryStore,
    private readonly policies: TopicPolicies,
    private readonly presence: PresenceStore,
    private readonly lifecycle: NodeLifecycle,
    private readonly upgrades: UpgradeHandler,
  ) {
    this.#requests = new NodeRequests(bus, lifecycle);
    this.#sender = new MessageSender(this.#requests, lifecycle, historyStore, policies, clock, settings.report);
  }

  /** True once this node is ending its connections, and lets no new ones in. */
  get isDraining(): boolean {
    return this.nodeDrain.isDraining;
  }

  /**
   * True while this node reaches the other nodes and is reached by them; in memory for as long as it runs. While it is false, this node's
   * connections are served by what this node sends, and new ones are asked to try again. Made for health checks: a node
   * that is not attached for long should not get new connections.
   */
  get isAttached(): boolean {
    return this.lifecycle.isRunning && this.bus.isAttached;
  }

  /**
   * Ends all connections of this node: commands that were read are answered, then each client is asked to reconnect
   * (3001), spread over time; what is left after `drain.timeoutMs` is ended at once. Resolves when the last connection
   * is gone and the `@OnDisconnect()` hooks have run.
   *
   * Shutting down the application does this by itself, in its first hook. Await it before `app.close()` when hooks need
   * providers that Nest may destroy earlier.
   */
  drain(): Promise<void> {
    return this.nodeDrain.start();
  }

  /**
   * Accepts connections from one more HTTP server, with the same paths, limits and rules as from that of the application.
   * Call it at any time until the application is closed; its connections are drained with all others. Whoever made the
   * server lets it listen and closes it.
   *
   * ```ts
   * const app = await NestFactory.create(AppModule, { httpsOptions });
   * const plain = createServer(app.getHttpAdapter().getInstance());
   * app.get(RealtimeService).acceptFrom(plain);
   * ```
   * @returns stops accepting from it; connections that were accepted stay
   * @throws RealtimeArgumentError when it is no HTTP server
   * @throws RealtimeError `UNAVAILABLE` once the application has been closed
   */
  acceptFrom(server: Server): () => void {
    if (!(server instanceof NetServer)) {
      throw new RealtimeArgumentError([{ at: 'server', message: 'must be a server of node:http or node:https' }]);
    }
    return this.upgrades.acceptFrom(server);
  }

  /**
   * What happens to the connections of this node, as it happens; and, with `presence.online`, which users have come
   * online and gone offline on any node, of which one node tells. Nothing is replayed to those who subscribe later. A
   * listener that throws is, as always with rxjs, an uncaught exception: catch what may fail.
   */
  get events$(): Observable<RealtimeEvent> {
    return this.events.stream$;
  }

  /**
   * To all connections of a user: every tab, every device. With `centrifuge.personalTopics` it is kept, so that clients which can
   * recover get what they have missed, and the report has the `epoch` and the `offset`.
   * @throws RealtimeError `UNAVAILABLE` when it is to be kept, and it is not known whether it was
   */
  sendToUser<T extends string>(
    userId: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(user(userId)).send(message, options);
  }

  /** To all connections that have a role now. */
  sendToRole<T extends string>(
    roleName: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(role(roleName)).send(message, options);
  }

  /** To one connection. An unknown id has no recipients and is no error. */
  sendToConnection<T extends string>(
    connectionId: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(connection(connectionId)).send(message, options);
  }

  /** To everybody. */
  broadcast<T extends string>(message: MessageInput<T>, options?: SendOptions): Promise<DeliveryReport> {
    return this.to(all()).send(message, options);
  }

  /**
   * To the subscribers of a topic, in one order for all of them. The message arrives with its `topic`. Where the topic keeps
   * a history it is added to that, arrives with its `offset`, and the report has the `epoch` and the `offset`. Whether it does
   * is said by the `@TopicGateway()` classes of the application that publishes.
   * @throws RealtimeError `UNAVAILABLE` when it is not known whether a message was added to the history: with an
   *   `idempotencyKey` it may be published again without harm
   */
  async publish<T extends string>(
    topicName: string,
    message: MessageInput<T>,
    options?: PublishOptions,
  ): Promise<DeliveryReport> {
    return this.#sender.send([topic(topicName)], [], message, options);
  }

  /**
   * What was published to a topic that keeps a history, the oldest first.
   *
   * ```ts
   * const { publications, epoch } = await realtime.history('chat:lobby', { limit: 20, reverse: true });
   * const older = await realtime.history('chat:lobby', { limit: 20, reverse: true, since: { epoch, offset: publications.at(-1)!.offset } });
   * ```
   * @throws RealtimeArgumentError when the topic keeps no history
   * @throws RealtimeError `UNAVAILABLE` when it cannot be read; `VALIDATION_FAILED` when the history has begun anew after `since`
   */
  async history(topicName: string, options: HistoryOptions = {}): Promise<TopicHistory> {
    const { limit = 100, since, reverse = false } = options;
    assertValid([...explainTopic(topicName), ...explainHistoryOptions(options)]);
    this.lifecycle.assertRunning();
    const retention = this.policies.of(topicName)?.history;
    if (!retention) throw new RealtimeArgumentError([{ at: 'topic', message: KEEPS_NONE }]);
    const range = { limit, reverse, ...(since && { since: since.offset }) };
    const { top, publications } = await this.historyStore.read(topicName, range, retention);
    if (since && inEpoch(since, top.epoch).epoch !== top.epoch) {
      throw new RealtimeError('VALIDATION_FAILED', 'The history has begun anew since then; ask without "since".');
    }
    return { ...top, publications: publications.map(({ offset, text }) => ({ ...JSON.parse(text), offset })) };
  }

  /**
   * Starts a send to several addresses at once. A connection that matches more than one of them gets one copy.
   *
   * ```ts
   * await realtime.to(user('42'), role('admin')).except(connection(id)).send({ type: 'note', payload });
   * ```
   */
  to(...addresses: Address[]): Recipients {
    return new Recipients(addresses, [], (to, except, message, options) =>
      this.#sender.send(to, except, message, options),
    );
  }

  /**
   * Subscribes a connection to a topic without asking a handler. The client is told with `realtime:subscribed`. Resolves
   * when the subscription is in force.
   * @returns true when the connection exists and was not subscribed before; false also while its node cannot join the topic
   * @throws RealtimeError `UNAVAILABLE` when the node that holds the connection could not be asked
   */
  async subscribe(connectionId: string, topicName: string): Promise<boolean> {
    assertValid([...explainAddress(connection(connectionId)), ...explainTopic(topicName)]);
    return this.#requests.order(connectionId, { kind: 'subscribe', topic: topicName });
  }

  /**
   * Ends a connection's subscription. The client is told with `realtime:unsubscribed`, and why.
   * @returns true when there was one
   * @throws RealtimeError `UNAVAILABLE` when the node that holds the connection could not be asked
   */
  async unsubscribe(connectionId: string, topicName: string, options?: UnsubscribeOptions): Promise<boolean> {
    const { reason = 'unsubscribed by the application' } = options ?? {};
    assertValid([...explainAddress(connection(connectionId)), ...explainTopic(topicName), ...explainReason(reason)]);
    return this.#requests.order(connectionId, { kind: 'unsubscribe', topic: topicName, reason });
  }

  /**
   * Ends the connections behind an address, on every node.
   * @returns how many there were, in `recipients`
   * @throws RealtimeError `UNAVAILABLE` when it could not be carried to other nodes; on this one it was carried out
   */
  async disconnect(address: Address, options?: DisconnectOptions): Promise<DeliveryReport> {
    const { reason = 'disconnected by the application', reconnect = false } = options ?? {};
    assertValid([...explainAddress(address), ...explainReason(reason)]);
    return this.#carryOut(address, { kind: 'disconnect', code: reconnect ? 'DISCONNECTED' : 'FORCED', reason });
  }

  /**
   * Has the option `isRevoked` asked again about the connections behind an address, and ends those whose token was revoked
   * (3500). Call it when something was revoked: without it the hook is asked only when a token is presented.
   * @returns how many connections are being asked about, in `recipients`
   * @throws RealtimeError `UNAVAILABLE` when it could not be carried to other nodes; on this one it was carried out
   */
  async revalidate(address: Address): Promise<DeliveryReport> {
    assertValid(explainAddress(address));
    return this.#carryOut(address, { kind: 'revalidate' });
  }

  /**
   * Gives the connections behind an address other roles or permissions, on every node: what is sent to a role follows at
   * once, and after it subscriptions are judged anew by their `@OnSubscribe()` handlers. It holds until the connection ends
   * or presents a newer token, so change what the tokens are made of as well.
   *
   * ```ts
   * await realtime.changeRights(user('42'), { roles: ['admin'] });
   * ```
   * @returns how many connections there were, in `recipients`
   * @throws RealtimeError `UNAVAILABLE` when it could not be carried to other nodes; on this one it was carried out
   */
  async changeRights(address: Address, rights: RightsInput): Promise<DeliveryReport> {
    assertValid([...explainAddress(address), ...explainRights(rights)]);
    const { roles, permissions } = rights;
    return this.#carryOut(address, {
      kind: 'rights',
      ...(roles && { roles: [...roles] }),
      ...(permissions && { permissions: [...permissions] }),
    });
  }

  /**
   * The connections of a user on all nodes, oldest first. Metadata of connections on other nodes has been through JSON.
   * @throws RealtimeError `UNAVAILABLE` when not every node has answered
   */
  async connectionsOf(userId: string): Promise<readonly RealtimeConnection[]> {
    assertValid(explainAddress(user(userId)));
    return oldestFirst(await this.#requests.ask(user(userId), { kind: 'connections', of: user(userId) }));
  }

  /**
   * One connection, on whichever node, or `undefined` when there is none with this id.
   * @throws RealtimeError `UNAVAILABLE` when the node that holds it has not answered
   */
  async connection(connectionId: string): Promise<RealtimeConnection | undefined> {
    const address = connection(connectionId);
    assertValid(explainAddress(address));
    return (await this.#requests.ask(address, { kind: 'connections', of: address }))[0];
  }

  /**
   * The topics a connection is subscribed to.
   * @throws RealtimeError `UNAVAILABLE` when the node that holds it has not answered
   */
  async topicsOf(connectionId: string): Promise<readonly string[]> {
    assertValid(explainAddress(connection(connectionId)));
    return this.#requests.ask(connection(connectionId), { kind: 'topics', of: connectionId });
  }

  /**
   * The connections subscribed to a topic on all nodes. Ask for small topics: all of them are collected.
   * @throws RealtimeError `UNAVAILABLE` when not every node has answered
   */
  async subscribersOf(topicName: string): Promise<readonly RealtimeConnection[]> {
    assertValid(explainTopic(topicName));
    return this.#requests.ask(topic(topicName), { kind: 'connections', of: topic(topicName) });
  }

  /**
   * Who is in a topic whose gateway has `presence: true`, on all nodes; in any other nobody is. `users` lists at most
   * `limits.maxPresenceUsers`; `userCount` and `connectionCount` are exact.
   * @throws RealtimeError `UNAVAILABLE` when nobody can tell at the moment
   */
  async usersIn(topicName: string): Promise<Presence> {
    assertValid(explainTopic(topicName));
    this.lifecycle.assertRunning();
    if (!this.policies.of(topicName)?.presence)
      throw new RealtimeArgumentError([{ at: 'topic', message: NO_PRESENCE }]);
    return this.presence.read(topicName, this.settings.limits.maxPresenceUsers);
  }

  /**
   * Whether a user has a connection now, on whichever node.
   * @throws RealtimeError `UNAVAILABLE` when not every node has answered
   */
  async isOnline(userId: string): Promise<boolean> {
    return (await this.connectionsOf(userId)).length > 0;
  }

  /**
   * The nodes that live, this one among them, and what each of them holds. Nobody is asked: of other nodes it is what they
   * said last, on Redis at most 6 s ago. A node that has crashed is listed for 15 s more (`leaseTtlMs`).
   */
  async nodes(): Promise<readonly NodeInfo[]> {
    this.lifecycle.assertRunning();
    return this.directory.nodes();
  }

  /**
   * How many connections, users, topics and subscriptions there are on all nodes. Connections and subscriptions are the
   * sums of `nodes()`, and as fresh. A user or a topic that several nodes have counts once.
   * @throws RealtimeError `UNAVAILABLE` when nobody can tell at the moment
   */
  async counts(): Promise<RealtimeCounts> {
    this.lifecycle.assertRunning();
    return this.directory.counts();
  }

  /** Orders are answered as messages are. */
  #carryOut(address: Address, content: EnvelopeContent): DeliveryReport | Promise<DeliveryReport> {
    return this.#requests.publish([address], [], content, this.settings.report);
  }
}

const NO_PRESENCE = 'must be one with presence: no @TopicGateway() of this application says { presence: true } for it';

const KEEPS_NONE = 'must be one that keeps a history: no @TopicGateway() of this application says { history } for it';

function assertValid(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new RealtimeArgumentError(problems);
}

function explainReason(reason: unknown): readonly Problem[] {
  if (typeof reason !== 'string' || !isProse(reason))
    return [{ at: 'reason', message: 'must be prose, neither empty nor JSON: clients exist that read more into it' }];
  return Buffer.byteLength(reason) > MAX_REASON_BYTES
    ? [{ at: 'reason', message: `must have at most ${MAX_REASON_BYTES} bytes, got ${Buffer.byteLength(reason)}` }]
    : [];
}
