import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../../helpers/redis-server.js';
import type { Nodes } from './nodes.js';

/** What stays in the nodes when all clients have gone; waits for so long until it is nothing. */
export async function leftInNodes({ all }: Nodes, withinMs: number): Promise<readonly string[]> {
  return settled(withinMs, async () => {
    const left = await Promise.all(
      all.map(async (node) => {
        const { objects } = await node.ask('leftovers');
        return objects > 0 ? [`${objects} sessions and sockets on node ${node.pid}`] : [];
      }),
    );
    const { connections, users, topics, subscriptions } = await all[0]!.ask('counts');
    const counted = Object.entries({ connections, users, topics, subscriptions });
    return [...left.flat(), ...counted.flatMap(([what, count]) => (count > 0 ? [`${count} ${what} by counts()`] : []))];
  });
}

/** The keys, channels and subscribers that stay in Redis when all nodes are closed, except for keys that expire. */
export async function leftInRedis(servers: readonly RedisServer[], withinMs: number): Promise<readonly string[]> {
  return settled(withinMs, async () => (await Promise.all(servers.map(leftIn))).flat());
}

async function leftIn(server: RedisServer): Promise<readonly string[]> {
  const ask = async (...command: string[]) => (await server.cli(...command)).split('\n').filter((line) => line !== '');
  const keys = await ask('KEYS', '*');
  const lives = await Promise.all(keys.map(async (key) => [key, Number(await server.cli('PTTL', key))] as const));
  return [
    ...lives.filter(([, life]) => life === -1).map(([key]) => `key ${key}`),
    ...(await ask('PUBSUB', 'CHANNELS', 'realtime*')).map((channel) => `channel ${channel}`),
    ...(await ask('PUBSUB', 'SHARDCHANNELS', 'realtime*')).map((channel) => `channel ${channel}`),
  ];
}

async function settled(withinMs: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (const deadline = performance.now() + withinMs; ; await delay(250)) {
    const left = await look().catch((error: unknown) => [`not to be seen: ${String(error)}`]);
    if (left.length === 0 || performance.now() > deadline) return left;
  }
}
