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
    if (more.length === 0) return left.flat();
    const channels = (await Promise.all(servers.map(channelsIn))).flat();
    const subscribers = (await Promise.all(servers.map(subscribersIn))).flat();
    return [...left.flat(), ...more, ...channels.filter((name) => /:(user|topic):/.test(name)), ...subscribers];
  });
}

/** The keys, channels and subscribers that stay in Redis when all nodes are closed, except for keys that expire. */
export async function leftInRedis(servers: readonly RedisServer[], withinMs: number): Promise<readonly string[]> {
  return settled(withinMs, async () => (await Promise.all(servers.map(leftIn))).flat());
}

/** Returns the keys without expiry in one command: a command for each of some 10,000 keys would take a process each, and minutes. */
const LASTING_KEYS = `
local lasting = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  if redis.call('PTTL', key) == -1 then lasting[#lasting + 1] = key end
end
return lasting`;

async function leftIn(server: RedisServer): Promise<readonly string[]> {
  const keys = linesOf(await server.cli('EVAL', LASTING_KEYS, 0));
  return [...keys.map((key) => `key ${key}`), ...(await channelsIn(server))];
}

/** The channels that somebody is subscribed to. */
async function channelsIn(server: RedisServer): Promise<readonly string[]> {
  const lists = [
    await server.cli('PUBSUB', 'CHANNELS', 'realtime*'),
    await server.cli('PUBSUB', 'SHARDCHANNELS', 'realtime*'),
  ];
  return lists.flatMap(linesOf).map((channel) => `channel ${channel}`);
}

/** The connections that are subscribed to something, and how long they have been there: one more than nodes is one that its node has given up. */
async function subscribersIn(server: RedisServer): Promise<readonly string[]> {
  const clients = linesOf(await server.cli('CLIENT', 'LIST', 'TYPE', 'PUBSUB'));
  return clients.map((client) => `subscriber ${/(age=.*idle=\d+).*(sub=.*ssub=\d+)/.exec(client)?.slice(1).join(' ')}`);
}

function linesOf(reply: string): readonly string[] {
  return reply.split('\n').filter((line) => line !== '');
}

async function settled(withinMs: number, look: () => Promise<readonly string[]>): Promise<readonly string[]> {
  for (const deadline = performance.now() + withinMs; ; await delay(250)) {
    const left = await look().catch((error: unknown) => [`not to be seen: ${String(error)}`]);
    if (left.length === 0 || performance.now() > deadline) return left;
  }
}
