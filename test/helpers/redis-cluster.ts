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
