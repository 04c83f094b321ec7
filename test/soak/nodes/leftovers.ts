import { setTimeout as delay } from 'node:timers/promises';
import type { RedisServer } from '../../helpers/redis-server.js';
import type { Nodes } from './nodes.js';

/** What stays in the nodes when all clients have gone, and the channels that they still have; waits for so long until it is nothing. */
export async function leftInNodes(
  { all }: Nodes,
  servers: readonly RedisServer[],
  withinMs: number,
): Promise<readonly string[]> {
  return settled(withinMs, async () => {
    const left = await Promise.all(
      all.map(async (node) => {
        const { objects } = await node.ask('leftovers');
        return objects > 0 ? [`${objects} sessions and sockets on node ${node.pid}`] : [];
      }),
    );
    const { connections, users, topics, subscriptions } = await all[0]!.ask('counts');
    const counted = Object.entries({ connections, users, topics, subscriptions });
    const more = counted.flatMap(([what, count]) => (count > 0 ? [`${count} ${what} by counts()`] : []));
    const channels = more.length > 0 ? (await Promise.all(servers.map(channelsIn))).flat() : [];
    return [...left.flat(), ...more, ...channels.filter((name) => /:(user|topic):/.test(name))];
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
  return [...lives.filter(([, life]) => life === -1).map(([key]) => `key ${key}`), ...(await channelsIn(server))];
}

/** The channels that somebody is subscribed to. */
async function channelsIn(server: RedisServer): Promise<readonly string[]> {
  const lists = [
    await server.cli('PUBSUB', 'CHANNELS', 'realtime*'),
    await server.cli('PUBSUB', 'SHARDCHANNELS', 'realtime*'),
  ];
  const channels = lists.flatMap((list) => list.split('\n')).filter((line) => line !== '');
  return channels.map((channel) => `channel ${channel}`);
}

async function settled(withinMs: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (const deadline = performance.now() + withinMs; ; await delay(250)) {
    const left = await look().catch((error: unknown) => [`not to be seen: ${String(error)}`]);
    if (left.length === 0 || performance.now() > deadline) return left;
  }
}
