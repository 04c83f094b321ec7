import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import { topic as topicAddress } from '../../lib/core/routing/address.js';
import type { DeliveryReport } from '../../lib/core/routing/delivery-report.js';
import type { Envelope } from '../../lib/core/routing/envelope.js';
import type { HistoryPage, HistoryRange, Retention } from '../../lib/core/history/history.js';
import type { NodeCounts, NodeInfo } from '../../lib/core/bus/node-info.js';
import { PresenceTable } from '../../lib/core/presence/presence-table.js';
import { PublicationStreams } from '../../lib/core/history/publication-streams.js';
import type { NodeQueryResult, NodeQuery } from '../../lib/core/bus/node-query.js';
import { subjectOf } from '../../lib/core/bus/subject.js';
import { RealtimeError } from '../../lib/errors/realtime.error.js';
import { HistoryStore, type PositionedReport, type HistoryPublishOptions } from '../../lib/ports/history-store.js';
import {
  MessageBus,
  type EnvelopeReceiver,
  type BusPublishOptions,
  type MessageBusNode,
  type QueryResponder,
} from '../../lib/ports/message-bus.js';
import { NodeDirectory, type NodeSelf } from '../../lib/ports/node-directory.js';
import type { HubPresenceStore } from './hub-presence-store.js';

/** The state that nodes of one process share: the smallest backend that keeps the contracts of several nodes. */
export class Hub {
  readonly buses = new Set<HubBus>();
  readonly nodes = new Map<string, NodeSelf>();
  readonly present = new PresenceTable();
  /** The listeners for crashes. */
  readonly witnesses = new Set<HubPresenceStore>();
  readonly streams = new PublicationStreams(new RandomIdGenerator().next());
}

export class HubBus extends MessageBus {
  readonly joined = new Set<string>();
  receive: EnvelopeReceiver = () => 0;
  respond: QueryResponder = () => [];

  constructor(private readonly hub: Hub) {
    super();
  }

  get isAttached(): boolean {
    return this.hub.buses.has(this);
  }

  open({ receive, respond }: MessageBusNode): void {
    this.receive = receive;
    this.respond = respond;
    this.hub.buses.add(this);
  }

  join(subject: string): void {
    this.joined.add(subject);
  }

  leave(subject: string): void {
    this.joined.delete(subject);
  }

  async publish(subject: string, envelope: Envelope, { report }: BusPublishOptions): Promise<DeliveryReport> {
    if (!this.isAttached) throw new RealtimeError('UNAVAILABLE', 'closed');
    let [recipients, nodes, others] = [0, 0, 0];
    const members = this.#members(subject);
    const all = await Promise.all(members.map(async (bus) => bus.receive(envelope)));
    for (const [index, bus] of members.entries()) {
      const reached = all[index]!;
      if (bus !== this) others += 1;
      if (!report && bus !== this) continue;
      recipients += reached;
      if (reached > 0) nodes += 1;
    }
    return { recipients, nodes, complete: report || others === 0 };
  }

  async ask<Q extends NodeQuery>(subject: string, query: Q): Promise<readonly NodeQueryResult<Q>[]> {
    if (!this.isAttached) throw new RealtimeError('UNAVAILABLE', 'closed');
    return this.#members(subject).flatMap((bus) => bus.respond(query));
  }

  close(): void {
    this.hub.buses.delete(this);
    this.joined.clear();
  }

  #members(subject: string): HubBus[] {
    return [...this.hub.buses].filter(({ joined }) => joined.has(subject));
  }
}

export class HubDirectory extends NodeDirectory {
  #self: NodeSelf | undefined;

  constructor(private readonly hub: Hub) {
    super();
  }

  open(self: NodeSelf): void {
    this.#self = self;
    this.hub.nodes.set(self.id, self);
  }

  nodes(): readonly NodeInfo[] {
    if (!this.#self) return [];
    return Array.from(this.hub.nodes.values(), ({ id, startedAt, counts }) => ({
      id,
      startedAt,
      isAttached: true,
      ...counts(),
    }));
  }

  counts(): NodeCounts {
    const sum = (count: keyof NodeCounts) => this.nodes().reduce((total, node) => total + node[count], 0);
    return {
      connections: sum('connections'),
      users: sum('users'),
      topics: sum('topics'),
      subscriptions: sum('subscriptions'),
    };
  }

  close(): void {
    if (this.#self) this.hub.nodes.delete(this.#self.id);
    this.#self = undefined;
  }
}

export class HubHistoryStore extends HistoryStore {
  constructor(
    private readonly hub: Hub,
    private readonly bus: MessageBus,
  ) {
    super();
  }

  async publish(
    topic: string,
    text: string,
    retention: Retention,
    { report, idempotencyKey }: HistoryPublishOptions,
  ): Promise<PositionedReport> {
    const { position, isRepeated } = this.hub.streams.append(topic, text, retention, Date.now(), idempotencyKey);
    if (isRepeated) return { recipients: 0, nodes: 0, complete: false, ...position };
    const address = topicAddress(topic);
    const envelope: Envelope = { to: [address], except: [], content: { kind: 'message', text, position } };
    return { ...(await this.bus.publish(subjectOf(address)!, envelope, { report })), ...position };
  }

  read(topic: string, range: HistoryRange, retention: Retention): HistoryPage {
    return this.hub.streams.page(topic, range, retention, Date.now());
  }
}
