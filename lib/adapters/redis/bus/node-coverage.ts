import type { RedisChannels } from '../connection/redis-channels.js';
import { command } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** The other nodes that hold a live lease. */
export interface LeaseHolders {
  /** Their ids. */
  liveOthers(): readonly string[];
  isLive(id: string): boolean;
}

/** The checks of one server: at most one is in flight, and it covers everything published before it was sent. */
interface Checks {
  waiting: number[];
  isBusy: boolean;
}

/**
 * Checks whether a message published on a server could reach every node. Redis returns the number of nodes that received a
 * message, not the nodes that should have: a node that is cut off has lost its subscriptions there, while its lease is still
 * valid. So the check asks Redis, right after the message, whether each live node's own channel there is subscribed.
 */
export class NodeCoverage {
  readonly #checks = new Map<RedisServer, Checks>();

  /** @param settle receives for each sequence whether every live node was reachable right after it */
  constructor(
    private readonly channels: RedisChannels,
    private readonly nodes: LeaseHolders,
    private readonly settle: (sequence: number, isCovered: boolean) => void,
  ) {}

  /** True while another node exists. */
  get isNeeded(): boolean {
    return this.nodes.liveOthers().length > 0;
  }

  /** Called in the turn in which the message is published: the check is sent after it, at the end of the turn. */
  check(server: RedisServer, sequence: number): void {
    let checks = this.#checks.get(server);
    if (checks === undefined) this.#checks.set(server, (checks = { waiting: [], isBusy: false }));
    checks.waiting.push(sequence);
    if (!checks.isBusy) this.#schedule(server, checks);
  }

  #schedule(server: RedisServer, checks: Checks): void {
    checks.isBusy = true;
    queueMicrotask(() => {
      const sequences = checks.waiting;
      checks.waiting = [];
      void this.#check(server, checks, sequences);
    });
  }

  async #check(server: RedisServer, checks: Checks, sequences: readonly number[]): Promise<void> {
    const isCovered = await this.#isCovered(server);
    for (const sequence of sequences) this.settle(sequence, isCovered);
    checks.isBusy = false;
    if (checks.waiting.length > 0) this.#schedule(server, checks);
    else this.#checks.delete(server);
  }

  async #isCovered(server: RedisServer): Promise<boolean> {
    const ids = this.nodes.liveOthers();
    const [partition] = server.partitions;
    if (ids.length === 0) return true;
    if (partition === undefined) return false;
    const names = ids.map((id) => this.channels.probe(id, partition).name);
    try {
      const reply = await command(server, ['PUBSUB', server.isSharded ? 'SHARDNUMSUB' : 'NUMSUB', ...names]);
      const counts = Array.isArray(reply) ? reply : [];
      // A node that has ended meanwhile is not missing.
      return ids.every((id, index) => Number(counts[index * 2 + 1]) > 0 || !this.nodes.isLive(id));
    } catch {
      return false;
    }
  }
}
