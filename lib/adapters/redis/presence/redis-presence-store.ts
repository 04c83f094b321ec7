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

/** One partition of a node that is open. */
interface Part {
  readonly calls: PresenceCalls;
  readonly partition: PresencePartition;
  readonly reads: PresenceReads;
}

/**
 * Keeps in Redis who is in which topic. What a node says holds for as long as its lease, of which it has one in each
 * partition: refreshed twice in every `leaseRefreshMs`, it runs out by Redis's own clock `leaseTtlMs` less `leaseRefreshMs`
 * after the last time, and any node that refreshes its own ends what was held under it. So the users of a node that crashes
 * have left after `leaseTtlMs`, with time to spare. A refresh costs a script for each node and partition, however much they hold.
 *
 * While Redis is away, changes are kept, only the newest of each user and topic, and said when it is back. When it comes
 * back without its data, each node says all that it has anew; users who were known are not told of again. Where Redis itself
 * was away nobody is taken for dead until everybody has had the time of a lease to come back.
 *
 * A change that one node is to act on is kept until that node has acted. If it crashes first, the node that ends its lease acts.
 *
 * When the last node closes, what it holds expires by itself, and nobody is told. When all of them crash, it stays for an
 * hour: a node that starts in that time ends it, and tells that the users left.
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
      const start = this.channels.presence(index);
      const failed = (error: unknown) => this.network.mistrust(this.network.serverOf(index), error);
      const leaseMs = leaseTtlMs - leaseRefreshMs;
      const calls = new PresenceCalls(node.id, this.network, index, start, leaseMs, leaseRefreshMs / 2);
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
