import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { RedisServer, type RedisOptions } from './redis-server.js';

const SLOTS = 16_384;
const FORMED_MS = 20_000;

/** A Redis Cluster that belongs to a test. */
export interface RedisCluster {
  /** Its masters; there are no replicas. */
  readonly servers: readonly RedisServer[];
  /** All of them, to start from. */
  readonly urls: readonly string[];
}

/** Starts three masters as a Redis Cluster; resolves when every one of them says that it serves. */
export async function startRedisCluster({
  args = [],
  finished = onTestFinished,
}: RedisOptions = {}): Promise<RedisCluster> {
  const servers: RedisServer[] = [];
  finished(async () => void (await Promise.all(servers.map((server) => server.end()))));
  for (let index = 0; index < 3; index++) {
    servers.push(await RedisServer.start({ args: ['--cluster-node-timeout', '2000', ...args], isClusterNode: true }));
  }
  await form(servers);
  return { servers, urls: servers.map(({ url }) => url) };
}

async function form(servers: readonly RedisServer[]): Promise<void> {
  const first = servers[0]!;
  const share = Math.ceil(SLOTS / servers.length);
  for (const [index, server] of servers.entries()) {
    await server.cli('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    await server.cli('CLUSTER', 'ADDSLOTSRANGE', index * share, Math.min((index + 1) * share, SLOTS) - 1);
    if (server !== first) await first.cli('CLUSTER', 'MEET', '127.0.0.1', server.port, server.busPort!);
  }
  const deadline = Date.now() + FORMED_MS;
  for (const server of servers) {
    let info = await server.cli('CLUSTER', 'INFO');
    while (!isFormed(info, servers.length)) {
      if (Date.now() > deadline) throw new Error(`The Redis Cluster was not formed in ${FORMED_MS} ms:\n${info}`);
      await delay(20);
      info = await server.cli('CLUSTER', 'INFO');
    }
  }
}

function isFormed(info: string, size: number): boolean {
  const lines = info.split(/\r?\n/);
  return ['cluster_state:ok', `cluster_known_nodes:${size}`, `cluster_size:${size}`].every((line) =>
    lines.includes(line),
  );
}

/** A planned move of a slot from one master to another, in the steps of `redis-cli --cluster reshard`. */
export class SlotMove {
  private constructor(
    private readonly cluster: RedisCluster,
    readonly slot: number,
    readonly from: RedisServer,
    readonly to: RedisServer,
  ) {}

  /** Opens the slot. Its next owner is the server behind the present one. */
  static async begin(cluster: RedisCluster, slot: number): Promise<SlotMove> {
    const { servers } = cluster;
    const replies = await Promise.all(servers.map((server) => server.cli('CLUSTER', 'NODES')));
    const owner = replies.findIndex((reply) => isOwner(reply, slot));
    const move = new SlotMove(cluster, slot, servers[owner]!, servers[(owner + 1) % servers.length]!);
    await move.to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', await move.from.cli('CLUSTER', 'MYID'));
    await move.from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', await move.to.cli('CLUSTER', 'MYID'));
    return move;
  }

  /** The number of keys that are still at the former owner. */
  async left(): Promise<number> {
    return Number(await this.from.cli('CLUSTER', 'COUNTKEYSINSLOT', this.slot));
  }

  /** Moves keys, all of them by default, so many with each command. @returns how many it has moved */
  async keys(atMost = Infinity, atATime = 10): Promise<number> {
    let moved = 0;
    while (moved < atMost) {
      const count = Math.min(atATime, atMost - moved);
      const found = await this.from.cli('CLUSTER', 'GETKEYSINSLOT', this.slot, count);
      if (found === '') break;
      const keys = found.split('\n');
      await this.from.cli('MIGRATE', '127.0.0.1', this.to.port, '', 0, 5_000, 'KEYS', ...keys);
      moved += keys.length;
    }
    return moved;
  }

  /** Moves the given keys with one command. */
  async these(keys: readonly string[]): Promise<void> {
    await this.from.cli('MIGRATE', '127.0.0.1', this.to.port, '', 0, 5_000, 'KEYS', ...keys);
  }

  /** Closes the slot at its new owner. */
  async end(): Promise<void> {
    const id = await this.to.cli('CLUSTER', 'MYID');
    const others = this.cluster.servers.filter((server) => server !== this.to && server !== this.from);
    for (const server of [this.to, this.from, ...others]) {
      await server.cli('CLUSTER', 'SETSLOT', this.slot, 'NODE', id);
    }
  }
}

/** @param nodes the reply of a server to CLUSTER NODES, whose line about itself ends with the ranges of its slots */
function isOwner(nodes: string, slot: number): boolean {
  const [, ...ranges] = /myself.*connected(.*)$/m.exec(nodes)?.[1]?.split(' ') ?? [];
  return ranges.some((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return slot >= from! && slot <= to!;
  });
}

/** Waits until every server has run for some seconds: Redis tells its uptime in whole seconds. */
export async function hasRunFor(cluster: RedisCluster, seconds: number): Promise<void> {
  for (const server of cluster.servers) {
    const uptime = async () => Number(/uptime_in_seconds:(\d+)/.exec(await server.cli('INFO', 'server'))?.[1]);
    while ((await uptime()) < seconds) await delay(100);
  }
}
