import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startRedisCluster } from '../../helpers/redis-cluster.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { SeededRandom } from '../load/seeded-random.js';
import { PresenceNode, type Move } from './presence-node.js';

/** A lease of 800 ms. */
const QUICK = { leaseRefreshMs: 200, leaseTtlMs: 1_000 };

/** Keys for leases and totals, which belong to no user. */
const BOOKS = /:(presence|holders)$/;

async function start(id: string, url: string): Promise<PresenceNode> {
  const node = await PresenceNode.start(id, { url, ...QUICK });
  onTestFinished(() => node.close(0));
  return node;
}

async function keys(...servers: readonly RedisServer[]): Promise<string[]> {
  const lists = await Promise.all(servers.map((server) => server.cli('KEYS', '*')));
  return lists.flatMap((list) => list.split('\n')).filter((key) => key !== '');
}

/** Has users come and go at random, and all of them go in the end. */
async function churn(nodes: readonly PresenceNode[], times: number): Promise<void> {
  const random = new SeededRandom(7);
  const pick = (count: number) => Math.floor(random.next() * count);
  const there = nodes.map(() => new Map<string, Move>());
  for (let time = 0; time < times; time++) {
    const index = pick(nodes.length);
    const move: Move = [`chat:${pick(50)}`, `user-${pick(20)}`];
    if (there[index]!.delete(move.join())) void nodes[index]!.remove(move);
    else void nodes[index]!.set(there[index]!.set(move.join(), move).get(move.join())!);
    if (time % 100 === 0) await delay(1);
  }
  await Promise.all(nodes.map((node, index) => node.remove(...there[index]!.values())));
}

describe('What presence leaves in Redis', () => {
  it('is nothing but two keys when everybody has come and gone, and nothing when all nodes are closed', async () => {
    const redis = await startRedis();
    const nodes = [await start('a', redis.url), await start('b', redis.url), await start('c', redis.url)];
    await churn(nodes, 20_000);
    const rest = async () => (await keys(redis)).filter((key) => !BOOKS.test(key));
    // The last reply is kept as long as a lease.
    await expect.poll(rest).toEqual([]);
    await Promise.all(nodes.map((node) => node.close(0)));
    expect(await keys(redis)).toEqual([]);
  });

  it('is nothing some time after all nodes are closed, though somebody was there', async () => {
    const redis = await startRedis();
    const nodes = [await start('a', redis.url), await start('b', redis.url)];
    for (const node of nodes)
      await node.set(...Array.from({ length: 2_000 }, (_, i): Move => [`chat:${i % 300}`, `user-${i}`]));
    await Promise.all(nodes.map((node) => node.close(500)));
    expect((await keys(redis)).length).toBeGreaterThan(300);
    await expect.poll(() => keys(redis)).toEqual([]);
  });

  it('is there for a node that starts in time: whoever comes there never leaves, the others do', async () => {
    const redis = await startRedis();
    const before = await start('before', redis.url);
    await before.set(['chat:1', 'ann'], ['chat:1', 'bob'], ['chat:2', 'cem']);
    await before.close(1_000);
    const after = await start('after', redis.url);
    await after.set(['chat:1', 'ann']);
    await expect.poll(() => after.told()).toHaveLength(2);
    expect([...(await after.told())].sort()).toEqual(['left chat:1 bob', 'left chat:2 cem']);
    expect(await after.read('chat:1')).toEqual(['ann:1']);
    await after.remove(['chat:1', 'ann']);
    await after.close(0);
    expect(await keys(redis)).toEqual([]);
  });

  it('is ended by the next node when all have crashed', async () => {
    const redis = await startRedis();
    const [a, b] = [await start('a', redis.url), await start('b', redis.url)];
    for (const node of [a, b]) await node.set(['chat:1', 'ann'], ['chat:1', 'bob']);
    for (const node of [a, b]) node.crash();
    const next = await start('c', redis.url);
    await expect.poll(() => next.told()).toHaveLength(2);
    await next.close(0);
    expect(await keys(redis)).toEqual([]);
  });

  it('goes by itself when all have crashed while nobody was there', async () => {
    const redis = await startRedis();
    const node = await start('a', redis.url);
    await node.set(['chat:1', 'ann']);
    await node.remove(['chat:1', 'ann']);
    await delay(500);
    node.crash();
    await expect.poll(() => keys(redis)).toEqual([]);
  });

  it('is nothing in a Redis Cluster either', async () => {
    const { servers, urls } = await startRedisCluster();
    const cluster = { rootNodes: urls.map((url) => ({ url })) };
    const nodes: PresenceNode[] = [];
    for (const id of ['a', 'b']) {
      const node = await PresenceNode.start(id, { cluster, ...QUICK });
      onTestFinished(() => node.close(0));
      nodes.push(node);
    }
    await churn(nodes, 5_000);
    const rest = async () => (await keys(...servers)).filter((key) => !BOOKS.test(key));
    await expect.poll(rest).toEqual([]);
    await Promise.all(nodes.map((node) => node.close(0)));
    expect(await keys(...servers)).toEqual([]);
  });
});

describe('A key of another type in the place of one of ours', () => {
  it('is in nobody’s way', async () => {
    const redis = await startRedis();
    for (const key of ['presence', 'holders', 'leaving', 'present:chat:1', 'held:a.1', 'told:a.1']) {
      await redis.cli('RPUSH', `realtime@0:${key}`, 'x');
    }
    const node = await start('a', redis.url);
    await node.set(['chat:1', 'ann']);
    expect(await node.read('chat:1')).toEqual(['ann:1']);
    await node.remove(['chat:1', 'ann']);
    expect(await node.told()).toEqual(['joined chat:1 ann', 'left chat:1 ann']);
  });
});
