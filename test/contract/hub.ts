import { topic as topicAddress } from '../../lib/core/address.js';
import { localReport, type DeliveryReport } from '../../lib/core/delivery-report.js';
import type { Envelope } from '../../lib/core/envelope.js';
import type { Presence, PresenceChange, PresenceMember } from '../../lib/core/presence.js';
import { PresenceTable } from '../../lib/core/presence-table.js';
import { subjectOf } from '../../lib/core/subject.js';
import type { NodeCounts, NodeInfo } from '../../lib/core/node-info.js';
import type { Finding, Question } from '../../lib/core/question.js';
import {
  MessageBus,
  type EnvelopeReceiver,
  type PublishOptions,
  type QuestionResponder,
} from '../../lib/ports/message-bus.js';
import { NodeDirectory, type NodeSelf } from '../../lib/ports/node-directory.js';
import { PresenceStore, type PresenceNode } from '../../lib/ports/presence-store.js';

/** What nodes of one process share: the smallest thing that keeps the contracts of several nodes. */
export class Hub {
  readonly buses = new Set<HubBus>();
  readonly nodes = new Map<string, NodeSelf>();
  readonly present = new PresenceTable();
  /** Those who are told of crashes. */
  readonly witnesses = new Set<HubPresenceStore>();
}

export class HubBus extends MessageBus {
  readonly joined = new Set<string>();
  receive: EnvelopeReceiver = () => 0;
  respond: QuestionResponder = () => [];

  constructor(private readonly hub: Hub) {
    super();
  }

  get isAttached(): boolean {
    return this.hub.buses.has(this);
  }

  open(_nodeId: string, receive: EnvelopeReceiver, respond: QuestionResponder): void {
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

  async publish(subject: string, envelope: Envelope, { report }: PublishOptions): Promise<DeliveryReport> {
    if (!this.isAttached) return localReport(0);
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

  ask<Q extends Question>(subject: string, question: Q): readonly Finding<Q>[] {
    return this.#members(subject).flatMap((bus) => bus.respond(question));
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

/** A store that notices a crash at once. */
export class HubPresenceStore extends PresenceStore {
  #node: PresenceNode | undefined;

  constructor(
    readonly hub: Hub,
    readonly bus: HubBus = new HubBus(hub),
  ) {
    super();
  }

  open(node: PresenceNode): void {
    this.#node = node;
    this.hub.witnesses.add(this);
  }

  set(topic: string, member: PresenceMember): void {
    if (this.#node) this.tell(topic, this.hub.present.set(this.#node.id, topic, member));
  }

  remove(topic: string, userId: string): void {
    if (this.#node) this.tell(topic, this.hub.present.remove(this.#node.id, topic, userId));
  }

  read(topic: string, limit: number): Presence {
    return this.hub.present.read(topic, limit);
  }

  close(graceMs: number): void {
    const node = this.#end();
    if (node) setTimeout(() => this.#forget(node), graceMs).unref();
  }

  readonly crash = (): void => {
    const node = this.#end();
    if (node) this.#forget(node);
  };

  /** Any bus of the hub carries it: this node's own may be closed. */
  tell(topic: string, change: PresenceChange | undefined): void {
    if (change === undefined) return;
    const to = topicAddress(topic);
    for (const bus of this.hub.buses) {
      void bus.publish(subjectOf(to)!, { to: [to], except: [], content: change }, { report: false });
      break;
    }
    this.#node?.changed(topic, change);
  }

  #end(): PresenceNode | undefined {
    const node = this.#node;
    this.#node = undefined;
    this.hub.witnesses.delete(this);
    return node;
  }

  #forget({ id }: PresenceNode): void {
    const [witness] = this.hub.witnesses;
    for (const [topic, change] of this.hub.present.drop(id)) witness?.tell(topic, change);
  }
}
