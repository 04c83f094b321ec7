import type { RedisChannels } from './redis-channels.js';
import { TICK_MS } from './redis-connection.js';
import type { RedisLine } from './redis-line.js';
import type { RedisNetwork } from './redis-network.js';
import type { RedisServer } from './redis-server.js';

/** Why a connection is given up whose subscriptions Redis has forgotten, or never had. */
export const UNKNOWN_TO_REDIS = 'Redis does not know of our subscriptions';

/**
 * Sends a message to ourselves over each server from time to time. A connection that is open and silent may be one that
 * nothing comes over any more: then it is made anew.
 */
export class Probes {
  #ticks = 0;
  /** The partitions over which a probe is under way. */
  readonly #underWay = new Set<number>();

  constructor(
    private readonly network: RedisNetwork,
    private readonly channels: RedisChannels,
    private readonly line: RedisLine,
    private readonly intervalMs: number,
  ) {}

  tick(): void {
    if (++this.#ticks * TICK_MS < this.intervalMs) return;
    this.#ticks = 0;
    for (const server of this.network.all()) {
      const [partition] = server.partitions;
      if (partition === undefined || !server.isAttached) continue;
      if (this.#underWay.delete(partition)) server.subscriber.restart('a message to ourselves did not come back');
      else this.#send(server, partition);
    }
  }

  /** A probe has come back. */
  heard(partition: number): void {
    this.#underWay.delete(partition);
  }

  /** The connection over which a probe would have come is lost. */
  forget({ partitions }: RedisServer): void {
    for (const partition of partitions) this.#underWay.delete(partition);
  }

  #send(server: RedisServer, partition: number): void {
    const spoken = this.line.next();
    const text = this.line.textOf({ kind: 'probe', ...spoken });
    if (text === undefined) return;
    this.#underWay.add(partition);
    this.line.send(
      this.channels.probe(spoken.origin, partition),
      text,
      (count) => {
        if (count === 0 && this.#underWay.delete(partition)) server.subscriber.restart(UNKNOWN_TO_REDIS);
      },
      () => this.#underWay.delete(partition),
    );
  }
}
