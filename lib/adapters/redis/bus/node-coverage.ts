import type { RedisChannels } from '../connection/redis-channels.js';
import { command } from '../connection/redis-network.js';
import type { RedisServer } from '../connection/redis-server.js';

/** The other nodes that hold a live lease. */
export interface LeaseHolders {
  /** Their ids. */
  liveOthers(): readonly string[];
  isLive(id: string): boolean;
}

/** A message that was published. */
type Published = readonly [sequence: number, partition: number];

/** The checks of one server: at most one is in flight, and it covers everything published before it was sent. */
interface Checks {
  waiting: Published[];
  isBusy: boolean;
}

/**
 * Checks whether a message published on a server could reach every node. Redis returns the number of nodes that received a
 * message, not the nodes that should have: a node that is cut off has lost its subscriptions there, while its lease is still
 * valid. So the check asks Redis, right after the message, whether each live node's own channel in the partition of the message is
 * subscribed there. Other partitions of the server tell nothing: after the slot of one has moved there, a node may be subscribed
 * to their channels, and not yet to those of the moved slot.
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
  check(server: RedisServer, sequence: number, partition: number): void {
    let checks = this.#checks.get(server);
    if (checks === undefined) this.#checks.set(server, (checks = { waiting: [], isBusy: false }));
    checks.waiting.push([sequence, partition]);
    if (!checks.isBusy) this.#schedule(server, checks);
  }

  #schedule(server: RedisServer, checks: Checks): void {
    checks.isBusy = true;
    queueMicrotask(() => {
      const published = checks.waiting;
      checks.waiting = [];
      void this.#check(server, checks, published);
    });
  }

  async #check(server: RedisServer, checks: Checks, published: readonly Published[]): Promise<void> {
    const covered = await this.#coveredAmong(server, new Set(published.map(([, partition]) => partition)));
    for (const [sequence, partition] of published) this.settle(sequence, covered.has(partition));
    checks.isBusy = false;
    if (checks.waiting.length > 0) this.#schedule(server, checks);
    else this.#checks.delete(server);
  }

  /** @returns the partitions in which every live node is subscribed on the server */
  async #coveredAmong(server: RedisServer, partitions: ReadonlySet<number>): Promise<ReadonlySet<number>> {
    const ids = this.nodes.liveOthers();
    if (ids.length === 0) return partitions;
    const names = Array.from(partitions, (partition) => ids.map((id) => this.channels.probe(id, partition).name));
    try {
      const reply = await command(server, ['PUBSUB', server.isSharded ? 'SHARDNUMSUB' : 'NUMSUB', ...names.flat()]);
      const counts = Array.isArray(reply) ? reply : [];
      const isSubscribed = (index: number) => Number(counts[index * 2 + 1]) > 0;
      // A node that has ended meanwhile is not missing.
      const isCovered = (_: number, place: number) =>
        ids.every((id, index) => isSubscribed(place * ids.length + index) || !this.nodes.isLive(id));
      return new Set([...partitions].filter(isCovered));
    } catch {
      return NONE;
    }
  }
}

const NONE: ReadonlySet<number> = new Set();
