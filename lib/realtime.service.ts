import { Injectable } from '@nestjs/common';
import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { Observable } from 'rxjs';
import { all, connection, explainAddress, role, topic, user, type Address } from './core/routing/address.js';
import { isProse, MAX_REASON_BYTES } from './core/protocol/close-code.js';
import { oldestFirst, type RealtimeConnection } from './core/connection/connection.js';
import { readMetadataPatch, type Metadata } from './core/identity/metadata-patch.js';
import { explainHistoryOptions, type HistoryOptions, type TopicHistory } from './core/history/history-options.js';
import type { TopicStreamOptions } from './core/history/stream-options.js';
import type { DeliveryReport } from './core/routing/delivery-report.js';
import type { EnvelopeContent } from './core/routing/envelope.js';
import { stringifyWhole } from './core/message/lost-in-json.js';
import type { MessageInput } from './core/message/message-types.js';
import type { RealtimeHealth } from './core/metrics/health.js';
import type { NodeCounts, NodeInfo } from './core/bus/node-info.js';
import type { Presence } from './core/presence/presence.js';
import { explainInfoSize } from './core/presence/presence-info.js';
import type { Problem } from './core/base/problem.js';
import { explainRights } from './core/identity/rights.js';
import type { RealtimeEvent } from './core/connection/realtime-event.js';
import { explainTopic } from './core/topic/topic.js';
import { ConnectionEvents } from './delivery/connection-events.js';
import { FurtherServers } from './delivery/further-servers.js';
import { MessageSender } from './delivery/message-sender.js';
import { NodeDrain } from './delivery/node-drain.js';
import { NodeHealth } from './delivery/node-health.js';
import { NodeLifecycle } from './delivery/node-lifecycle.js';
import { NodeMeter } from './delivery/node-meter.js';
import { NodeRequests } from './delivery/node-requests.js';
import type { TopicStream } from './delivery/published-stream.js';
import { PublishedStreams } from './delivery/published-streams.js';
import { TopicPolicies } from './delivery/topic-policies.js';
import { Recipients, type SendOptions } from './delivery/recipients.js';
import { RealtimeArgumentError } from './errors/realtime-argument.error.js';
import { RealtimeError } from './errors/realtime.error.js';
import { Clock } from './ports/clock.js';
import { inEpoch } from './core/history/recovery.js';
import { HistoryStore } from './ports/history-store.js';
import { MessageBus } from './ports/message-bus.js';
import { NodeDirectory } from './ports/node-directory.js';
import { RealtimeTracing } from './ports/realtime-tracing.js';
import { PresenceStore } from './ports/presence-store.js';
import { RealtimeSettings } from './options/realtime.options.js';

/**
 * Options for closing connections.
 * @publicApi
 */
export interface DisconnectOptions {
  /** Close reason for the client, as prose of at most 123 bytes. Default "disconnected by the application". */
  readonly reason?: string;
  /** Whether clients may reconnect at once (close code 3000). Default false (3503: SDKs and well-behaved clients do not reconnect). */
  readonly reconnect?: boolean;
}

/**
 * Options for ending a subscription.
 * @publicApi
 */
export interface UnsubscribeOptions {
  /** Reason for the client, as prose of at most 123 bytes. Default "unsubscribed by the application". */
  readonly reason?: string;
}

/**
 * Options for publishing one message to a topic.
 * @publicApi
 */
export interface PublishOptions extends SendOptions {
  /**
   * Makes the publication idempotent, in a topic that keeps a history: a second publication with the same key within 5
   * minutes is not stored, and returns the position of the first. 1 to 128 characters. Derive the key from the event (its
   * id), so that a retry is harmless.
   */
  readonly idempotencyKey?: string;
  /**
   * True: the message may be left out for subscribers that cannot take it at once, because earlier bytes still wait for them. They are
   * not told. The report has their number as `dropped`. Not for a topic that keeps a history. Default false.
   */
  readonly volatile?: boolean;
}

/**
 * Numbers of connections, users, topics and subscriptions over all nodes.
 * @publicApi
 */
export type RealtimeCounts = NodeCounts;

/**
 * New roles and permissions of a connection, each as a list or a set; an omitted field stays unchanged.
 * @publicApi
 */
export interface RightsInput {
  readonly roles?: readonly string[] | ReadonlySet<string>;
  readonly permissions?: readonly string[] | ReadonlySet<string>;
}

/**
 * The options of a change of metadata.
 * @publicApi
 */
export interface UpdateMetadataOptions {
  /** True: the `@OnSubscribe()` handlers decide on the topics of the connections again. Default false. */
  readonly reauthorize?: boolean;
}

/**
 * Sends messages to connected clients. Inject it anywhere, and use it from `onApplicationBootstrap()` on.
 *
 * Every method rejects with {@link RealtimeArgumentError} if an argument is invalid; nothing was sent then.
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
    private readonly furtherServers: FurtherServers,
    private readonly meter: NodeMeter,
    private readonly nodeHealth: NodeHealth,
    private readonly published: PublishedStreams,
    tracing: RealtimeTracing,
  ) {
    this.#requests = new NodeRequests(bus, lifecycle);
    this.#sender = new MessageSender(
      this.#requests,
      lifecycle,
      historyStore,
      policies,
      clock,
      settings.report,
      meter,
      tracing,
    );
  }

  /** True once this node drains: it closes its connections and accepts no new ones. */
  get isDraining(): boolean {
    return this.nodeDrain.isDraining;
  }

  /**
   * True while this node can reach the other nodes and be reached by them; in memory for as long as it runs. While it is
   * false, connections of this node receive only messages that this node sends, and new clients are told to retry.
   */
  get isAttached(): boolean {
    return this.lifecycle.isRunning && this.bus.isAttached;
  }

  /**
   * Returns the health of this node, for readiness checks: `down` while it starts, drains or is closed, `degraded` while it serves
   * with a fault. Each reason has a stable code, such as `DETACHED`. It asks no other node, and answers at any time.
   */
  health(): RealtimeHealth {
    return this.nodeHealth.read();
  }

  /**
   * Closes all connections of this node gracefully: commands already read are answered, then each client is told to
   * reconnect (3001), spread over time. After `drain.timeoutMs` the remaining connections are closed at once. Resolves when
   * the last connection is closed and the `@OnDisconnect()` hooks have run.
   *
   * The shutdown of the application drains by itself, in its first hook. Await this method before `app.close()` if hooks
   * need providers that Nest may destroy earlier.
   */
  drain(): Promise<void> {
    return this.nodeDrain.start();
  }

  /**
   * Accepts connections from one more HTTP server, with the same paths, limits and rules as from that of the application.
   * Call it at any time until the application is closed; its connections are drained with all others. The caller lets the
   * server listen and closes it.
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
    // No class is common to servers of node:http and node:https alone, but this property is.
    if (!(server instanceof NetServer) || !('headersTimeout' in server)) {
      throw new RealtimeArgumentError([{ at: 'server', message: 'must be a server of node:http or node:https' }]);
    }
    return this.furtherServers.add(server);
  }

  /**
   * Emits the events of this node's connections and, with `presence.online`, users that came online or went offline on any
   * node; exactly one node emits each of these. Late subscribers get no replay. With rxjs an exception in a listener is
   * uncaught, so catch errors in it.
   */
  get events$(): Observable<RealtimeEvent> {
    return this.events.stream$;
  }

  /**
   * Sends to all connections of a user: every tab, every device. With `centrifuge.personalTopics` the message is kept, so that
   * clients can recover it, and the report has `epoch` and `offset`.
   * @throws RealtimeError `UNAVAILABLE` if the message is to be kept and the outcome is unknown: it may or may not be stored
   */
  sendToUser<T extends string>(
    userId: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(user(userId)).send(message, options);
  }

  /** Sends to all connections that currently have a role. */
  sendToRole<T extends string>(
    roleName: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(role(roleName)).send(message, options);
  }

  /** Sends to one connection. An unknown id has no recipients and is not an error. */
  sendToConnection<T extends string>(
    connectionId: string,
    message: MessageInput<T>,
    options?: SendOptions,
  ): Promise<DeliveryReport> {
    return this.to(connection(connectionId)).send(message, options);
  }

  /** Sends to all connections. */
  broadcast<T extends string>(message: MessageInput<T>, options?: SendOptions): Promise<DeliveryReport> {
    return this.to(all()).send(message, options);
  }

  /**
   * Publishes to the subscribers of a topic, in the same order for all of them. The message arrives with its `topic`. If the
   * topic keeps a history, the message is added to it and arrives with its `offset`, and the report has `epoch` and `offset`.
   * The `@TopicGateway()` classes of the publishing application determine whether a topic keeps a history, and the key of a
   * message in a topic with `delivery: { slow: 'latest' }`.
   * @throws RealtimeError `UNAVAILABLE` if the outcome is unknown: the message may or may not have been added to the history.
   *   A retry with the same `idempotencyKey` is safe
   */
  async publish<T extends string>(
    topicName: string,
    message: MessageInput<T>,
    options?: PublishOptions,
  ): Promise<DeliveryReport> {
    return this.#sender.send([topic(topicName)], [], message, options);
  }

  /**
   * Returns publications of a topic that keeps a history, the oldest first.
   *
   * ```ts
   * const { publications, epoch } = await realtime.history('chat:lobby', { limit: 20, reverse: true });
   * const older = await realtime.history('chat:lobby', { limit: 20, reverse: true, since: { epoch, offset: publications.at(-1)!.offset } });
   * ```
   * @throws RealtimeArgumentError if the topic keeps no history
   * @throws RealtimeError `UNAVAILABLE` if it cannot be read; `VALIDATION_FAILED` if `since` is of another epoch
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
      throw new RealtimeError(
        'VALIDATION_FAILED',
        'The history was reset after that position; ask again without "since".',
      );
    }
    return { ...top, publications: publications.map(({ offset, text }) => ({ ...JSON.parse(text), offset })) };
  }

  /**
   * Publishes what a source yields to a topic that keeps a history, in pieces `{ id, seq, items }`, then `{ id, seq, end: true }` or
   * `{ id, seq, error }`. It goes on whether or not somebody reads, so readers may join late, reload or lose their node.
   *
   * ```ts
   * const { id } = await realtime.stream('chat:9', (signal) => model.answer(question, { signal }));
   * ```
   * @param source is called with a signal, which is aborted when the stream is stopped or its node shuts down. Strings that follow
   *   each other are joined; other items must be values that JSON can carry
   * @returns the stream, or the one that runs with the same id, on whichever node; the source is not called then
   * @throws RealtimeArgumentError if the topic keeps no history
   * @throws RealtimeError `UNAVAILABLE` if other nodes could not be asked for the id, or this node is shutting down; the source was
   *   not called
   */
  async stream<T>(
    topicName: string,
    source: (signal: AbortSignal) => AsyncIterable<T>,
    options?: TopicStreamOptions,
  ): Promise<TopicStream> {
    return this.published.start(topicName, source, options);
  }

  /**
   * Stops a stream, on whichever node it runs: its signal is aborted, what was collected is published, and then the end. Resolves
   * when it was told to.
   * @returns false if no stream with this id runs in the topic
   * @throws RealtimeError `UNAVAILABLE` if the node that runs it could not be reached
   */
  async stopStream(topicName: string, id: string): Promise<boolean> {
    return this.published.stop(topicName, id);
  }

  /**
   * Starts a send to several addresses. A connection that matches more than one of them gets one copy.
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
   * Subscribes a connection to a topic without calling `@OnSubscribe()`. The client receives `realtime:subscribed`. Resolves
   * when the subscription is active.
   * @returns true if the connection exists and was not subscribed before; false also while its node cannot join the topic
   * @throws RealtimeError `UNAVAILABLE` if the node that holds the connection could not be reached
   */
  async subscribe(connectionId: string, topicName: string): Promise<boolean> {
    assertValid([...explainAddress(connection(connectionId)), ...explainTopic(topicName)]);
    return this.#requests.order(connectionId, { kind: 'subscribe', topic: topicName });
  }

  /**
   * Ends a connection's subscription. The client receives `realtime:unsubscribed` with the reason.
   * @returns true if the connection was subscribed
   * @throws RealtimeError `UNAVAILABLE` if the node that holds the connection could not be reached
   */
  async unsubscribe(connectionId: string, topicName: string, options?: UnsubscribeOptions): Promise<boolean> {
    const { reason = 'unsubscribed by the application' } = options ?? {};
    assertValid([...explainAddress(connection(connectionId)), ...explainTopic(topicName), ...explainReason(reason)]);
    return this.#requests.order(connectionId, { kind: 'unsubscribe', topic: topicName, reason });
  }

  /**
   * Closes the connections of an address on every node.
   * @returns a report with their number as `recipients`
   * @throws RealtimeError `UNAVAILABLE` if other nodes could not be reached; on this node it was carried out
   */
  async disconnect(address: Address, options?: DisconnectOptions): Promise<DeliveryReport> {
    const { reason = 'disconnected by the application', reconnect = false } = options ?? {};
    assertValid([...explainAddress(address), ...explainReason(reason)]);
    return this.#carryOut(address, { kind: 'disconnect', code: reconnect ? 'DISCONNECTED' : 'FORCED', reason });
  }

  /**
   * Calls the option `isRevoked` again for the connections of an address, and closes those whose token was revoked (3500).
   * Subscriptions whose topic token was revoked end, too. Call it after a revocation: otherwise `isRevoked` is called only
   * when a token is presented.
   * @returns a report with the number of connections being checked as `recipients`
   * @throws RealtimeError `UNAVAILABLE` if other nodes could not be reached; on this node it was carried out
   */
  async revalidate(address: Address): Promise<DeliveryReport> {
    assertValid(explainAddress(address));
    return this.#carryOut(address, { kind: 'revalidate' });
  }

  /**
   * Changes roles or permissions of the connections of an address on every node. Sends to a role use the new roles at once;
   * then `@OnSubscribe()` is called again for existing subscriptions. What arrives for a topic meanwhile is held, then given
   * out or dropped; reports count it as delivered. A connection without the rights that the option `authorize` requires is
   * closed (3507). The change lasts until the connection closes or presents
   * a newer token, so change the source of the tokens as well.
   *
   * ```ts
   * await realtime.changeRights(user('42'), { roles: ['admin'] });
   * ```
   * @returns a report with the number of connections as `recipients`
   * @throws RealtimeError `UNAVAILABLE` if other nodes could not be reached; on this node it was carried out
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
   * Changes the metadata of the connections behind an address, on every node: `null` removes a key, any other value replaces
   * it as a whole. The changes hold until the connection ends, removed keys included, and take precedence over the option
   * `metadata`, which takes precedence over the token; a newer token replaces only what came from the token before.
   *
   * ```ts
   * await realtime.updateMetadata(user('42'), { team: 'blue', trial: null });
   * ```
   * @param patch a plain object that JSON can carry, of at most 65,536 characters as JSON; else a `RealtimeArgumentError` names
   *   the key
   * @returns how many connections there were, in `recipients`
   * @throws RealtimeError `UNAVAILABLE` if the change could not be carried to other nodes; it took effect on this one
   */
  async updateMetadata(
    address: Address,
    patch: Metadata,
    { reauthorize = false }: UpdateMetadataOptions = {},
  ): Promise<DeliveryReport> {
    assertValid(explainAddress(address));
    const read = readMetadataPatch(patch);
    if ('problems' in read) throw new RealtimeArgumentError(read.problems, read.cause);
    return this.#carryOut(address, { kind: 'metadata', patch: read.patch, reauthorize });
  }

  /**
   * Returns the connections of a user on all nodes, oldest first. Metadata from other nodes has passed through JSON.
   * @throws RealtimeError `UNAVAILABLE` if not every node has answered
   */
  async connectionsOf(userId: string): Promise<readonly RealtimeConnection[]> {
    assertValid(explainAddress(user(userId)));
    return oldestFirst(await this.#requests.ask(user(userId), { kind: 'connections', of: user(userId) }));
  }

  /**
   * Returns one connection, from any node, or `undefined` if there is none with this id.
   * @throws RealtimeError `UNAVAILABLE` if the node that holds it has not answered
   */
  async connection(connectionId: string): Promise<RealtimeConnection | undefined> {
    const address = connection(connectionId);
    assertValid(explainAddress(address));
    return (await this.#requests.ask(address, { kind: 'connections', of: address }))[0];
  }

  /**
   * Returns the topics that a connection is subscribed to.
   * @throws RealtimeError `UNAVAILABLE` if the node that holds it has not answered
   */
  async topicsOf(connectionId: string): Promise<readonly string[]> {
    assertValid(explainAddress(connection(connectionId)));
    return this.#requests.ask(connection(connectionId), { kind: 'topics', of: connectionId });
  }

  /**
   * Returns the connections subscribed to a topic on all nodes. It collects all of them, so use it for small topics.
   * @throws RealtimeError `UNAVAILABLE` if not every node has answered
   */
  async subscribersOf(topicName: string): Promise<readonly RealtimeConnection[]> {
    assertValid(explainTopic(topicName));
    return this.#requests.ask(topic(topicName), { kind: 'connections', of: topic(topicName) });
  }

  /**
   * Returns the users in a topic on all nodes; empty unless its gateway has `presence: true`. `users` lists at most
   * `limits.maxPresenceUsers`; `userCount` and `connectionCount` are exact.
   * @throws RealtimeError `UNAVAILABLE` if presence cannot be read at the moment
   */
  async usersIn(topicName: string): Promise<Presence> {
    assertValid(explainTopic(topicName));
    this.#assertPresence(topicName);
    const { at: _place, ...presence } = await this.presence.read(topicName, this.settings.limits.maxPresenceUsers);
    return presence;
  }

  /**
   * Shows another info of a user in a topic with presence, on whichever node: `usersIn()` and the command `presence` give
   * it, watchers get `realtime:updated`, and `@OnPresenceUpdate()` is called on one node. It is shown until a newer connection
   * of the user comes with an info of its own, or the user leaves.
   *
   * ```ts
   * await realtime.updatePresence('room:9', '42', { name: 'Ann', status: 'away' });
   * ```
   * @param info as JSON carries it, of at most `limits.maxPresenceInfoBytes`
   * @returns false when the user is not in the topic
   * @throws RealtimeArgumentError when the info is not JSON, or is too large; nothing is changed then
   * @throws RealtimeError `UNAVAILABLE` when it is not known whether it was changed; it may be called again without harm
   */
  async updatePresence(topicName: string, userId: string, info: unknown): Promise<boolean> {
    const { copy, problems } = this.#readInfo(info);
    assertValid([...explainTopic(topicName), ...explainAddress(user(userId)), ...problems]);
    this.#assertPresence(topicName);
    return this.presence.update(topicName, userId, copy);
  }

  /**
   * Returns whether a user has a connection now, on any node.
   * @throws RealtimeError `UNAVAILABLE` if not every node has answered
   */
  async isOnline(userId: string): Promise<boolean> {
    return (await this.connectionsOf(userId)).length > 0;
  }

  /**
   * Returns the live nodes, including this one, and the numbers of each. Reading costs no round trip to other nodes: each
   * publishes its numbers, on Redis at most 6 s ago. A crashed node stays listed until its lease expires, for up to 15 s
   * (`leaseTtlMs`).
   */
  async nodes(): Promise<readonly NodeInfo[]> {
    this.lifecycle.assertRunning();
    return this.directory.nodes();
  }

  /**
   * Returns the numbers of connections, users, topics and subscriptions on all nodes. Connections and subscriptions are the
   * sums over `nodes()`, and as recent. A user or topic on several nodes counts once.
   * @throws RealtimeError `UNAVAILABLE` if they cannot be read at the moment
   */
  async counts(): Promise<RealtimeCounts> {
    this.lifecycle.assertRunning();
    return this.directory.counts();
  }

  /** Throws unless the application runs and the topic has presence. */
  #assertPresence(topicName: string): void {
    this.lifecycle.assertRunning();
    if (this.policies.of(topicName)?.presence) return;
    throw new RealtimeArgumentError([{ at: 'topic', message: NO_PRESENCE }]);
  }

  /** Returns a copy of an info, through JSON, or its problems. */
  #readInfo(info: unknown): { readonly copy?: unknown; readonly problems: readonly Problem[] } {
    try {
      const { text, loss } = stringifyWhole(info);
      if (loss) return { problems: [{ at: `info${loss.path}`, message: `${NO_INFO.message}: it is ${loss.what}` }] };
      if (text === undefined) return { problems: [NO_INFO] };
      const tooLarge = explainInfoSize(Buffer.byteLength(text), this.settings.limits.maxPresenceInfoBytes);
      if (tooLarge !== undefined) return { problems: [{ at: 'info', message: `must be smaller: it ${tooLarge}` }] };
      return { copy: JSON.parse(text), problems: [] };
    } catch {
      return { problems: [NO_INFO] };
    }
  }

  /** Orders are answered as messages are. */
  async #carryOut(address: Address, content: EnvelopeContent): Promise<DeliveryReport> {
    const { report } = this.settings;
    const carriedOut = await this.#requests.publish([address], [], content, report);
    this.meter.reported(carriedOut, report);
    return carriedOut;
  }
}

const NO_PRESENCE = 'must be one with presence: no @TopicGateway() of this application says { presence: true } for it';

const KEEPS_NONE = 'must keep a history: no @TopicGateway() of this application has { history } for it';

const NO_INFO: Problem = { at: 'info', message: 'must be a value that JSON can carry' };

function assertValid(problems: readonly Problem[]): void {
  if (problems.length > 0) throw new RealtimeArgumentError(problems);
}

function explainReason(reason: unknown): readonly Problem[] {
  if (typeof reason !== 'string' || !isProse(reason))
    return [
      {
        at: 'reason',
        message: 'must be plain text, neither empty nor JSON, because some clients would interpret JSON',
      },
    ];
  return Buffer.byteLength(reason) > MAX_REASON_BYTES
    ? [{ at: 'reason', message: `must have at most ${MAX_REASON_BYTES} bytes, got ${Buffer.byteLength(reason)}` }]
    : [];
}
