import { setTimeout as delay } from 'node:timers/promises';
import type { FaultNode } from '../../faults/load/fault-node.js';
import type { RedisServer } from '../../helpers/redis-server.js';
import { checkNodesWithoutClients, checkServersWithoutNodes } from '../checker/check-leftovers.js';
import type { LeftInNode, LeftWithoutClients, LeftWithoutNodes } from '../checker/record.js';

type Seen<T> = Omit<T, 'unseen'>;

/** The names of our channels begin with it. */
const OURS = 'realtime*';

/** The channels that a node has for the clients it has. */
const OF_CLIENTS = /:(user|topic):/;

/** Returns what nodes have when all clients have gone; waits for so long until it is nothing. @param all all servers that nodes connect to */
export function leftWithoutClients(
  nodes: readonly FaultNode[],
  masters: readonly RedisServer[],
  all: number,
  withinMs: number,
): Promise<LeftWithoutClients> {
  const nothing = { nodes: [], counts: {}, channels: [] };
  return settled<Seen<LeftWithoutClients>>(withinMs, checkNodesWithoutClients, nothing, async () => {
    const inMemory = await leftInAll(nodes, all);
    const { connections, users, topics, subscriptions } = await nodes[0]!.ask('counts');
    const channels = (await Promise.all(masters.map(channelsIn))).flat().filter((name) => OF_CLIENTS.test(name));
    // Whose they are: one more than nodes is one that its node has given up.
    const subscribers = channels.length === 0 ? [] : (await Promise.all(masters.map(subscribersIn))).flat();
    return {
      nodes: inMemory,
      counts: { connections, users, topics, subscriptions },
      channels: [...channels, ...subscribers],
    };
  });
}

/** Returns what is in Redis when all nodes are closed; waits for so long until nothing is left that should not be. */
export function leftWithoutNodes(masters: readonly RedisServer[], withinMs: number): Promise<LeftWithoutNodes> {
  return settled<Seen<LeftWithoutNodes>>(withinMs, checkServersWithoutNodes, { keys: [], channels: [] }, async () => ({
    keys: (await Promise.all(masters.map(keysIn))).flat(),
    channels: (await Promise.all(masters.map(channelsIn))).flat(),
  }));
}

/** Waits for all of them also when one fails: a node that is asked again while it still counts would be asked more and more. */
async function leftInAll(nodes: readonly FaultNode[], servers: number): Promise<readonly LeftInNode[]> {
  const asked = nodes.map((node) => leftIn(node, servers));
  await Promise.allSettled(asked);
  return Promise.all(asked);
}

async function leftIn(node: FaultNode, servers: number): Promise<LeftInNode> {
  const { objects, openSockets } = await node.ask('leftovers');
  const clientSockets = await node.ask('clientSockets');
  return { node: node.pid, objects, clientSockets, otherSockets: openSockets - clientSockets, servers };
}

/** All keys and their lives in one command: a command for each of some 10,000 keys would take a process each, and minutes. */
const LIVES = `
local lives = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  lives[#lives + 1] = redis.call('PTTL', key) .. ' ' .. key
end
return lives`;

async function keysIn(server: RedisServer): Promise<LeftWithoutNodes['keys']> {
  return linesOf(await server.cli('EVAL', LIVES, 0)).map((line) => {
    const space = line.indexOf(' ');
    return { name: line.slice(space + 1), ttlMs: Number(line.slice(0, space)) };
  });
}

/** The channels that somebody is subscribed to. */
async function channelsIn(server: RedisServer): Promise<readonly string[]> {
  const lists = [await server.cli('PUBSUB', 'CHANNELS', OURS), await server.cli('PUBSUB', 'SHARDCHANNELS', OURS)];
  return lists.flatMap(linesOf);
}

/** The connections that are subscribed to something, and how long they have been there. */
async function subscribersIn(server: RedisServer): Promise<readonly string[]> {
  const clients = linesOf(await server.cli('CLIENT', 'LIST', 'TYPE', 'PUBSUB'));
  return clients.map((client) => `of ${/(age=.*idle=\d+).*(sub=.*ssub=\d+)/.exec(client)?.slice(1).join(' ')}`);
}

function linesOf(reply: string): readonly string[] {
  return reply.split('\n').filter((line) => line !== '');
}

/** Looks until a check finds nothing, or for so long. */
async function settled<T extends object>(
  withinMs: number,
  checked: (left: T & { readonly unseen: readonly string[] }, find: () => void) => void,
  nothing: T,
  look: () => Promise<T>,
): Promise<T & { readonly unseen: readonly string[] }> {
  for (const deadline = performance.now() + withinMs; ; await delay(250)) {
    const left = await look().then(
      (seen) => ({ ...seen, unseen: [] as string[] }),
      (error: unknown) => ({ ...nothing, unseen: [String(error)] }),
    );
    let isClean = true;
    checked(left, () => (isClean = false));
    if (isClean || performance.now() > deadline) return left;
  }
}
