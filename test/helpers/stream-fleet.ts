import { InMemoryHistoryStore } from '../../lib/adapters/in-memory/in-memory-history-store.js';
import { InMemoryMessageBus } from '../../lib/adapters/in-memory/in-memory-message-bus.js';
import type { HistoryPage, HistoryRange, Retention } from '../../lib/core/history/history.js';
import type { PresencePicture, PresenceReading } from '../../lib/core/presence/presence-position.js';
import { PresenceTable } from '../../lib/core/presence/presence-table.js';
import type { PresenceChange, PresenceMember } from '../../lib/core/presence/presence.js';
import { localReport, type DeliveryReport } from '../../lib/core/routing/delivery-report.js';
import type { Envelope } from '../../lib/core/routing/envelope.js';
import { streamTopic } from '../../lib/core/topic/reserved-topic.js';
import { LocalPresence } from '../../lib/delivery/local-presence.js';
import { NodeDrain } from '../../lib/delivery/node-drain.js';
import { NodeLifecycle } from '../../lib/delivery/node-lifecycle.js';
import { NodeMeter } from '../../lib/delivery/node-meter.js';
import { PublishedStreams, StreamRules } from '../../lib/delivery/published-streams.js';
import { RealtimeError } from '../../lib/errors/realtime.error.js';
import { HistoryStore, type HistoryPublishOptions, type PositionedReport } from '../../lib/ports/history-store.js';
import { PresenceStore, type PresenceNode } from '../../lib/ports/presence-store.js';

/** The drain of a node takes no longer than this, in milliseconds. */
const DRAIN_MS = 2_000;

/** One of several nodes in this process. */
export interface FleetNode {
  readonly id: string;
  readonly streams: PublishedStreams;
  readonly presence: FleetPresence;
  readonly drain: NodeDrain;
  readonly meter: NodeMeter;
}

/** Nodes that share a history and a presence, which fail as tests say. */
export class StreamFleet {
  readonly retention = { size: 100, ttlMs: 60_000 };
  readonly history = new FlakyHistory();
  readonly table = new PresenceTable();
  readonly nodes: FleetNode[] = [];
  /** The time of all nodes, in milliseconds. */
  now = 0;
  /** True: presence cannot be read. */
  isAway = false;
  /** True: orders reach no other node. */
  isDeaf = false;

  join(id: string): FleetNode {
    const lifecycle = new NodeLifecycle();
    lifecycle.started();
    const [drain, presence, meter] = [new NodeDrain(), new FleetPresence(this), new NodeMeter()];
    const local = new LocalPresence(presence, 0);
    const policies = { hasGateways: true, of: () => ({ history: this.retention }) };
    let count = 0;
    const ids = { next: () => `${id}${++count}` };
    const told = (error: unknown) => (String(error).startsWith('told:') ? String(error) : undefined);
    const rules = new StreamRules(DRAIN_MS, told);
    const bus = new FleetBus(this);
    const clock = { now: () => this.now };
    const { history } = this;
    const streams = new PublishedStreams(
      bus,
      history,
      presence,
      local,
      policies,
      { id },
      lifecycle,
      drain,
      ids,
      clock,
      rules,
      meter,
    );
    void local.open(id);
    const node = { id, streams, presence, drain, meter };
    this.nodes.push(node);
    return node;
  }

  /** Takes a node for dead, and tells another one. The node itself goes on and does not know. */
  crash(node: FleetNode, { presence }: FleetNode): void {
    for (const [topic, change] of this.table.drop(node.id)) presence.changed(topic, change);
  }

  /** What stands in the publications of a topic. */
  async payloads(topic: string): Promise<any[]> {
    const { publications } = this.history.peek(topic, { limit: 1_000 }, this.retention);
    return publications.map(({ text }) => JSON.parse(text).payload);
  }

  publish(topic: string, payload: string): Promise<PositionedReport> {
    return this.history.publish(topic, `{"type":"t","payload":${payload}}`, this.retention, { report: false });
  }

  /** Whether a stream counts as running. */
  isRegistered(topic: string, id: string): boolean {
    return this.table.read(streamTopic(topic, id), Infinity).userCount > 0;
  }
}

/** A history that fails as tests say. */
class FlakyHistory extends HistoryStore {
  isAway = false;
  /** Number of publications whose outcome is not told. */
  losesReplies = 0;
  forgetsKeys = false;
  maxLength = Infinity;
  readonly #real = new InMemoryHistoryStore(new InMemoryMessageBus(), { now: () => 0 }, { next: () => 'e1' });

  async publish(
    topic: string,
    text: string,
    retention: Retention,
    { report, idempotencyKey }: HistoryPublishOptions,
  ): Promise<PositionedReport> {
    if (this.isAway) throw unavailable();
    if (text.length > this.maxLength) throw new RealtimeError('LIMIT_EXCEEDED', 'too large');
    const key = this.forgetsKeys || idempotencyKey === undefined ? {} : { idempotencyKey };
    const made = await this.#real.publish(topic, text, retention, { report, ...key });
    if (this.losesReplies === 0) return made;
    this.losesReplies -= 1;
    throw unavailable();
  }

  async read(topic: string, range: HistoryRange, retention: Retention): Promise<HistoryPage> {
    if (this.isAway) throw unavailable();
    return this.peek(topic, range, retention);
  }

  /** Reads it even if it is away. */
  peek(topic: string, range: HistoryRange, retention: Retention): HistoryPage {
    return this.#real.read(topic, range, retention);
  }
}

/** The presence of one node in a table that all share. */
class FleetPresence extends PresenceStore {
  /** True: the node does not say any more what has ended. */
  isMute = false;
  /** True: runs are not reported, and a read that waits for that fails. */
  cannotReport = false;
  readonly #said = new Map<string, PresenceMember>();
  #node: PresenceNode | undefined;

  constructor(private readonly fleet: StreamFleet) {
    super();
  }

  open(node: PresenceNode): void {
    this.#node = node;
  }

  /** Has this node act on a change. */
  changed(topic: string, change: PresenceChange): void {
    this.#node!.changed(topic, change);
  }

  async set(topic: string, member: PresenceMember): Promise<void> {
    await Promise.resolve();
    if (this.cannotReport && member.info !== undefined) return;
    this.#said.set(`${topic} ${member.userId}`, member);
    this.#tell(topic, this.fleet.table.set(this.#node!.id, topic, member));
  }

  async remove(topic: string, userId: string): Promise<void> {
    if (!this.isMute) this.#tell(topic, this.fleet.table.remove(this.#node!.id, topic, userId));
  }

  /** Reports what this node has, as one does that was taken for dead. */
  reportAgain(topic: string, id: string): void {
    const name = streamTopic(topic, id);
    this.#tell(name, this.fleet.table.set(this.#node!.id, name, this.#said.get(`${name} ${id}`)!));
  }

  async read(topic: string, limit: number): Promise<PresenceReading> {
    if (this.fleet.isAway || (this.cannotReport && limit === 0)) throw unavailable();
    return this.fleet.table.read(topic, limit);
  }

  update(): boolean {
    return false;
  }

  picture(): PresencePicture | undefined {
    return undefined;
  }

  positions(topics: readonly string[]): readonly undefined[] {
    return topics.map(() => undefined);
  }

  close(): void {}

  #tell(topic: string, change: PresenceChange | undefined): void {
    if (change) this.changed(topic, change);
  }
}

/** Carries orders to stop a stream. */
class FleetBus extends InMemoryMessageBus {
  constructor(private readonly fleet: StreamFleet) {
    super();
  }

  override async publish(subject: string, { content }: Envelope): Promise<DeliveryReport> {
    if (this.fleet.isDeaf) return { ...localReport(0), complete: false };
    if (content.kind !== 'stop-stream') return localReport(0);
    const nodes = this.fleet.nodes.filter(({ id }) => subject === 'all' || subject === `node:${id}`);
    const reached = await Promise.all(nodes.map(async ({ streams }) => streams.stopHere(content.topic, content.id)));
    return localReport(reached.reduce((sum, count) => sum + count, 0));
  }
}

function unavailable(): RealtimeError {
  return new RealtimeError('UNAVAILABLE', 'away for the test');
}
