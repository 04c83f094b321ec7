import { topic as topicAddress } from '../../../core/routing/address.js';
import type { Presence, PresenceMember } from '../../../core/presence/presence.js';
import { subjectOf } from '../../../core/bus/subject.js';
import { PresenceStore, type PresenceNode } from '../../../ports/presence-store.js';
import { PresenceCalls } from './presence-calls.js';
import { PresencePartition } from './presence-partition.js';
import { infoText } from './presence-text.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import { unavailable } from '../connection/redis-connection.js';
import type { RedisNetwork } from '../connection/redis-network.js';
import type { RedisSettings } from '../connection/redis-options.js';

/** One partition of a node that is open. */
interface Part {
  readonly calls: PresenceCalls;
  readonly partition: PresencePartition;
}

/**
 * Keeps in Redis who is in which topic. What a node says holds for as long as its lease, of which it has one in each
 * partition: refreshed twice in every `leaseRefreshMs`, it runs out by Redis's own clock `leaseTtlMs` less `leaseRefreshMs`
 * after the last time, and whoever refreshes its own ends what was held under it. So whoever was on a node that crashes has
 * left after `leaseTtlMs`, with time to spare. It costs a script for each node and partition, however much they hold.
 *
 * While Redis is away, what changes is kept, only the newest of each user and topic, and said when it is back; when it comes
 * back without its data, each node says all that it has anew, and nobody is told of those who were known. Where Redis itself
 * was away nobody is taken for dead until everybody has had the time of a lease to come back.
 *
 * When the last node closes, what it holds expires by itself, and nobody is told. When all of them crash, it stays until a
 * node starts, which ends it.
 */
export class RedisPresenceStore extends PresenceStore {
  #parts: readonly Part[] = [];
  #timer: NodeJS.Timeout | undefined;

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
      const calls = new PresenceCalls(node.id, this.network, index, start, leaseTtlMs - leaseRefreshMs);
      return { calls, partition: new PresencePartition(calls, node.changed, failed) };
    });
    this.#timer = setInterval(() => void this.#tend(), leaseRefreshMs / 2);
    await this.#tend();
  }

  async set(topic: string, { userId, info, connections }: PresenceMember): Promise<void> {
    await this.#partOf(topic)?.partition.set(topic, { userId, info: infoText(info), connections });
  }

  async remove(topic: string, userId: string): Promise<void> {
    await this.#partOf(topic)?.partition.remove(topic, userId);
  }

  read(topic: string, limit: number): Promise<Presence> {
    return this.#partOf(topic)?.calls.read(topic, limit) ?? Promise.reject(unavailable());
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

  #partOf(topic: string): Part | undefined {
    return this.#parts[this.channels.of(subjectOf(topicAddress(topic))!).partition];
  }
}
