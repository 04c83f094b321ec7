import type { BusFrame, UnknownFrame } from '../../../core/bus/bus-frame.js';
import { isNodeId } from '../../../core/connection/connection-id.js';
import { localReport, type DeliveryReport } from '../../../core/routing/delivery-report.js';
import type { Envelope } from '../../../core/routing/envelope.js';
import type { NodeQueryResult, NodeQuery } from '../../../core/bus/node-query.js';
import { nodeSubject } from '../../../core/bus/subject.js';
import { busClosed } from '../../../errors/bus-closed.js';
import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';
import { RealtimeError } from '../../../errors/realtime.error.js';
import {
  MessageBus,
  type BusAskOptions,
  type BusPublishOptions,
  type MessageBusNode,
  type QueryResponder,
} from '../../../ports/message-bus.js';
import { Probes } from './probes.js';
import type { RedisAnswers } from './redis-answers.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import { TICK_MS } from '../connection/redis-connection.js';
import { MissedOrders } from './missed-orders.js';
import type { PublicationReports } from './publication-reports.js';
import { RedisEnvelopes } from './redis-envelopes.js';
import { tooLarge, type RedisBusStats, type RedisTransport } from '../connection/redis-transport.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisNodeDirectory } from '../directory/redis-node-directory.js';
import type { RedisSettings } from '../connection/redis-options.js';
import type { RedisServer } from '../connection/redis-server.js';
import type { RedisSubscriptions } from './redis-subscriptions.js';
import { SafeLogger } from '../../../errors/safe-logger.js';

/** Carries envelopes over Redis: one channel for each subject, on one server or spread over a Redis Cluster. */
export class RedisMessageBus extends MessageBus {
  readonly #logger = new SafeLogger(RedisMessageBus.name);
  readonly #orders: MissedOrders;
  readonly #probes: Probes;
  readonly #envelopes: RedisEnvelopes;
  readonly #live = new Set<RedisServer>();
  #nodeSubject = '';
  #isOpen = false;
  #isClosed = false;
  #respond: QueryResponder = () => [];
  #missed: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;
  #wasAttached = false;
  /** False until the first attempt to connect is over: nothing can have been missed before. */
  #hasStarted = false;

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
    private readonly subscriptions: RedisSubscriptions,
    private readonly answers: RedisAnswers,
    reports: PublicationReports,
    private readonly directory: RedisNodeDirectory,
    private readonly settings: RedisSettings,
  ) {
    super();
    this.#orders = new MissedOrders(channels, transport, subscriptions, directory.ownLease);
    this.#probes = new Probes(network, channels, transport, this.#orders, settings);
    this.#envelopes = new RedisEnvelopes(network, channels, transport, subscriptions, answers, reports, this.#orders);
  }

  get isAttached(): boolean {
    return this.#isOpen && this.network.isAttached;
  }

  /** Counts by the first word of the error text. */
  override get refusals(): ReadonlyMap<string, number> {
    return this.network.refusals.counts;
  }

  get stats(): Readonly<RedisBusStats> {
    return this.transport.stats;
  }

  async open({ id, receive, respond, missed = () => {}, roundTrip }: MessageBusNode): Promise<void> {
    if (!isNodeId(id)) {
      throw new RealtimeConfigurationError('A node’s id must be 1 to 64 letters, digits, _ or -: see IdGenerator');
    }
    this.#nodeSubject = nodeSubject(id);
    this.#isOpen = true;
    this.#respond = respond;
    this.#missed = missed;
    this.#envelopes.open(receive);
    this.#orders.open(receive);
    this.#probes.onReturn = roundTrip;
    this.transport.open(id, this.#take);
    const { everybody } = this.channels;
    const probes = this.channels.all().map((partition) => this.channels.probe(id, partition));
    for (const channel of [everybody, this.channels.answersTo(id), ...probes]) {
      this.subscriptions.join(channel)?.catch(() => undefined);
    }
    this.#timer = setInterval(this.#tick, TICK_MS);
    try {
      await this.network.open({
        restore: async (server) => {
          await this.subscriptions.restore(server, !this.#hasStarted);
          await this.#orders.catchUp(server);
          await this.#probes.fence(server);
        },
        changed: this.#changed,
        moved: () => this.network.moved(),
      });
    } catch (error) {
      const why = reasonOf(error);
      if (!this.settings.requireAtBoot) return this.#logger.warn(`Starting without Redis: ${why}`);
      this.close();
      throw new RealtimeError('UNAVAILABLE', `Redis cannot be reached: ${why}. ${CURE}`, { cause: error });
    } finally {
      this.#hasStarted = true;
    }
  }

  join(subject: string): Promise<void> | undefined {
    return this.subscriptions.join(this.channels.of(subject));
  }

  leave(subject: string): void {
    this.subscriptions.leave(this.channels.of(subject).name);
  }

  publish(
    subject: string,
    envelope: Envelope,
    { report }: BusPublishOptions,
  ): DeliveryReport | Promise<DeliveryReport> {
    if (this.#isClosed) return Promise.reject(busClosed());
    if (!this.#isOpen) return localReport(0);
    const channel = this.channels.of(subject);
    // No other node has joined it.
    if (subject === this.#nodeSubject) return this.#envelopes.publishToSelf(channel, envelope);
    return this.#envelopes.publish(channel, envelope, report);
  }

  ask<Q extends NodeQuery>(
    subject: string,
    query: Q,
    { partial = false }: BusAskOptions = {},
  ): readonly NodeQueryResult<Q>[] | Promise<readonly NodeQueryResult<Q>[]> {
    if (this.#isClosed) return Promise.reject(busClosed());
    if (!this.#isOpen) return [];
    const channel = this.channels.of(subject);
    if (subject === this.#nodeSubject) {
      return this.subscriptions.isJoined(channel.name) ? this.#respond(query) : [];
    }
    const spoken = this.transport.next();
    const text = this.transport.textOf(channel, { kind: 'query', ...spoken, query });
    if (text === undefined) return Promise.reject(tooLarge(this.transport.maxBytes));
    return this.answers.ask(channel, text, spoken.sequence, partial) as Promise<NodeQueryResult<Q>[]>;
  }

  close(): void {
    this.#isOpen = false;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#envelopes.close();
    this.#orders.close();
    this.answers.close();
    this.subscriptions.close();
    this.network.close();
  }

  readonly #take = (frame: BusFrame | UnknownFrame, partition: number, isJoined: boolean): void => {
    const isHearing = this.network.serverOf(partition)?.isHearing ?? false;
    switch (frame.kind) {
      case 'envelope':
        return this.#envelopes.take(frame, isJoined, isHearing);
      case 'unknown':
        if (frame.wantsReport && !this.transport.isOwn(frame.origin)) this.answers.decline(frame);
        return;
      case 'query':
        // This node cannot answer for its connections yet, which is not the same as having none.
        if (isJoined && !isHearing) return this.answers.decline(frame);
        return this.answers.answer(frame, isJoined ? this.#respond(frame.query) : []);
      case 'roll-call':
      case 'reached':
      case 'result':
        return this.answers.take(frame);
      case 'probe':
        if (this.transport.isOwn(frame.origin)) this.#probes.heard(partition, frame.sequence);
        return;
      case 'attachment':
        if (!this.transport.isOwn(frame.origin)) this.directory.heard(frame.origin, frame.isAttached, frame.isGone);
        return;
    }
  };

  readonly #changed = (server: RedisServer): void => {
    const isBack = server.subscriber.isUp && !this.#live.has(server);
    if (server.subscriber.isUp) this.#live.add(server);
    else if (server.isDeaf) {
      if (this.#live.delete(server)) this.transport.stats.gaps += 1;
      this.#probes.forget(server);
      for (const partition of server.partitions) this.#envelopes.serveOwn(partition);
    }
    this.subscriptions.changed(server);
    if (!this.#isOpen) return;
    this.#say();
    if (isBack && this.#hasStarted) this.#missed();
  };

  /** Reports whether this node is attached, if that has changed. */
  #say(): void {
    const { isAttached } = this;
    if (isAttached === this.#wasAttached) return;
    this.#wasAttached = isAttached;
    if (isAttached) this.#logger.log('Attached to Redis');
    else this.#logger.warn('Not attached to Redis: only the connections of this node are reached');
    this.directory.attached(isAttached);
  }

  readonly #tick = (): void => {
    for (const server of this.network.tick()) this.subscriptions.giveUp(server);
    this.subscriptions.tick();
    this.answers.tick();
    this.#probes.tick();
    this.#envelopes.tick();
  };
}

const CURE = 'Start it, correct its address, or start without it: redisBackend({ requireAtBoot: false })';

function reasonOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
