import { topic as topicAddress } from '../../../core/routing/address.js';
import type { PresencePicture, PresencePosition, PresenceReading } from '../../../core/presence/presence-position.js';
import type { PresenceMember } from '../../../core/presence/presence.js';
import { subjectOf } from '../../../core/bus/subject.js';
import { PresenceStore, type PresenceNode } from '../../../ports/presence-store.js';
import { PresenceCalls } from './presence-calls.js';
import { PresencePartition } from './presence-partition.js';
import { PresenceReads } from './presence-reads.js';
import { infoText } from './presence-text.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import { unavailable } from '../connection/redis-connection.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisSettings } from '../connection/redis-options.js';

/** One partition of an open node. */
interface Part {
  readonly calls: PresenceCalls;
  readonly partition: PresencePartition;
  readonly reads: PresenceReads;
}

/**
 * Keeps the members of topics in Redis. The entries of a node are valid as long as its lease; a node has one lease in each
 * partition. A node refreshes its lease twice in every `leaseRefreshMs`. By Redis's own clock the lease expires `leaseTtlMs`
 * less `leaseRefreshMs` after the last refresh, and any node that refreshes its own lease then ends the entries under the
 * expired one. So the users of a crashed node have left after `leaseTtlMs`, with time to spare. A refresh costs one script
 * per node and partition, whatever the number of entries.
 *
 * While Redis is away, only the newest change of each user and topic is kept, and is reported when Redis is back. If Redis
 * comes back without its data, each node reports all of its entries again; users who were known are not announced again.
 * After Redis itself was away, no node is declared dead until every node has had the time of a lease to come back.
 *
 * A change that one node has to act on is kept until that node has acted. If it crashes first, the node that ends its lease
 * acts.
 *
 * When the last node closes, its entries expire by themselves, without announced leaves. When all nodes crash, their entries
 * stay for an hour: a node that starts in that time ends them, and announces the leaves.
 */
export class RedisPresenceStore extends PresenceStore {
  #parts: readonly Part[] = [];
  #timer: NodeJS.Timeout | undefined;
  #changed: PresenceNode['changed'] = () => {};

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly settings: Pick<RedisSettings, 'leaseRefreshMs' | 'leaseTtlMs'>,
  ) {
    super();
  }

  async open(node: PresenceNode): Promise<void> {
    const { leaseRefreshMs, leaseTtlMs } = this.settings;
    this.#parts = this.channels.all().map((index) => {
      const failed = (error: unknown) => this.network.mistrust(this.network.serverOf(index), error);
      const leaseMs = leaseTtlMs - leaseRefreshMs;
      const calls = new PresenceCalls(node.id, this.network, index, this.channels, leaseMs, leaseRefreshMs / 2);
      const partition = new PresencePartition(calls, node.changed, failed);
      return { calls, partition, reads: new PresenceReads(calls, partition) };
    });
    this.#changed = node.changed;
    this.#timer = setInterval(() => void this.#tend(), leaseRefreshMs / 2);
    await this.#tend();
  }

  async set(topic: string, { userId, info, connections }: PresenceMember, ageMs = 0): Promise<void> {
    const member = { userId, info: infoText(info), connections };
    await this.#partOf(topic)?.partition.set(topic, member, performance.now() - ageMs);
  }

  async remove(topic: string, userId: string): Promise<void> {
    await this.#partOf(topic)?.partition.remove(topic, userId);
  }

  async update(topic: string, userId: string, info: unknown): Promise<boolean> {
    const { calls, partition } = this.#openPartOf(topic);
    await partition.flushed();
    const outcome = await calls.update(topic, userId, infoText(info) ?? '');
    if (outcome === undefined) throw unavailable();
    const [isThere, changes] = outcome;
    for (const change of changes) this.#changed(...change);
    return isThere;
  }

  async read(topic: string, limit: number): Promise<PresenceReading> {
    return this.#openPartOf(topic).reads.read(topic, limit);
  }

  async picture(topic: string, limit: number): Promise<PresencePicture | undefined> {
    return this.#openPartOf(topic).reads.picture(topic, limit);
  }

  async positions(topics: readonly string[]): Promise<readonly PresencePosition[]> {
    const places = new Map<Part, number[]>();
    topics.forEach((topic, index) => {
      const part = this.#openPartOf(topic);
      const indexes = places.get(part);
      if (indexes) indexes.push(index);
      else places.set(part, [index]);
    });
    const found = Array.from<PresencePosition>({ length: topics.length });
    await Promise.all(
      Array.from(places, async ([{ reads }, indexes]) => {
        const positions = await reads.positions(indexes.map((index) => topics[index]!));
        positions.forEach((position, i) => (found[indexes[i]!] = position));
      }),
    );
    return found;
  }

  async close(graceMs: number): Promise<void> {
    clearInterval(this.#timer);
    const parts = this.#parts;
    this.#parts = [];
    await Promise.all(parts.map(({ partition }) => partition.close(graceMs)));
  }

  async #tend(): Promise<void> {
    await Promise.all(this.#parts.map(({ partition }) => partition.tend()));
  }

  #openPartOf(topic: string): Part {
    const part = this.#partOf(topic);
    if (part === undefined) throw unavailable();
    return part;
  }

  #partOf(topic: string): Part | undefined {
    return this.#parts[this.channels.of(subjectOf(topicAddress(topic))!).partition];
  }
}
