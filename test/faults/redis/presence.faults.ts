import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RedisBackendOptions } from '../../../lib/adapters/redis/connection/redis-options.js';
import { PresenceOutbox } from '../../../lib/core/presence/presence-outbox.js';
import { startRedis } from '../../helpers/redis-server.js';
import { PresenceNode, type Move, type PresenceControl } from './presence-node.js';
import { PresenceProcess } from './presence-process.js';

/** A lease of 800 ms. */
const QUICK = { leaseRefreshMs: 200, leaseTtlMs: 1_000 };

const ROOMS = Array.from({ length: 10 }, (_, i) => `chat:${i}`);

/** Somebody in each room, by name and number. */
const everywhere = (name: string, count = 20): Move[] =>
  ROOMS.flatMap((room) => Array.from({ length: count }, (_, i): Move => [room, `${name}-${i}`]));

const asText = (kind: string, moves: readonly Move[]) =>
  moves.map(([topic, user]) => `${kind} ${topic} ${user}`).sort();

/** A node of this process. */
async function start(id: string, options: RedisBackendOptions): Promise<PresenceNode> {
  const node = await PresenceNode.start(id, options, ROOMS);
  onTestFinished(() => node.close(0));
  return node;
}

/** The joins or leaves in a list. */
const only = (kind: 'joined' | 'left', list: readonly string[]) => list.filter((text) => text.startsWith(kind)).sort();

/** The changes reported to all of these nodes together. */
async function allTold(...nodes: readonly PresenceControl[]): Promise<string[]> {
  return (await Promise.all(nodes.map((node) => node.told()))).flat();
}

async function reads(node: PresenceControl, expected: readonly Move[], timeout = 5_000): Promise<void> {
  for (const room of ROOMS) {
    const there = expected.filter(([topic]) => topic === room).map(([, user]) => `${user}:1`);
    await expect.poll(() => node.read(room), { timeout, interval: 20 }).toEqual(there.sort());
  }
}

describe('When a node is killed', () => {
  it('all that it had leaves everywhere within 15 s, once, and whoever is on another node stays', async () => {
    const { url } = await startRedis();
    const [a, b] = [await start('a', { url }), await start('b', { url })];
    const killed = await PresenceProcess.start('c', { url });
    const [gone, shared] = [everywhere('gone'), everywhere('shared', 3)];
    await killed.set(...gone, ...shared);
    await a.set(...shared);
    await killed.kill();
    const since = performance.now();
    await expect.poll(() => a.read(ROOMS[9]!), { timeout: 16_000, interval: 50 }).toHaveLength(3);
    expect(performance.now() - since).toBeLessThan(15_000);
    await reads(b, shared);
    for (const node of [a, b]) expect(only('left', await node.heard())).toEqual(asText('left', gone));
    expect(only('left', await allTold(a, b))).toEqual(asText('left', gone));
  });

  it('it would stay for ever if its lease did not run out', async () => {
    const { url } = await startRedis();
    const a = await start('a', { url, ...QUICK });
    const killed = await PresenceProcess.start('c', { url, ...QUICK, leaseTtlMs: 3_600_000 });
    await killed.set([ROOMS[0]!, 'ann']);
    await killed.kill();
    await delay(2_000);
    expect(await a.read(ROOMS[0]!)).toEqual(['ann:1']);
  });

  it('with more than fits into one step, everybody leaves all the same, and new ones join meanwhile', async () => {
    const { url } = await startRedis();
    const a = await start('a', { url, ...QUICK });
    const killed = await PresenceProcess.start('c', { url, ...QUICK });
    const gone = everywhere('gone', 300);
    await killed.set(...gone);
    await killed.kill();
    const here = everywhere('here', 5);
    for (const move of here) await a.set(move);
    await reads(a, here);
    expect(only('left', await a.told())).toEqual(asText('left', gone));
  });
});

describe('When a node halts, is taken for dead and comes back', () => {
  it('its users have left once and join once under a new lease, none of them twice', async () => {
    const { url } = await startRedis();
    const a = await start('a', { url, ...QUICK });
    const halted = await PresenceProcess.start('c', { url, ...QUICK });
    const there = everywhere('there');
    await halted.set(...there);
    halted.halt();
    await reads(a, []);
    await delay(500);
    halted.resume();
    await reads(a, there);
    expect(only('left', await a.heard())).toEqual(asText('left', there));
    expect(only('joined', await a.heard())).toEqual([...asText('joined', there), ...asText('joined', there)].sort());
    expect(only('left', await allTold(a, halted))).toEqual(asText('left', there));
    expect(only('joined', await halted.told())).toEqual(
      [...asText('joined', there), ...asText('joined', there)].sort(),
    );
  });

  it('what moved to another node meanwhile does not leave when the returning node finds that it is gone', async () => {
    const { url } = await startRedis();
    const a = await start('a', { url, ...QUICK });
    const halted = await PresenceProcess.start('c', { url, ...QUICK });
    const there = everywhere('there', 5);
    await halted.set(...there);
    halted.halt();
    await reads(a, []);
    await a.set(...there);
    halted.resume();
    await halted.remove(...there);
    await delay(600);
    await reads(a, there);
    expect(only('left', await a.heard())).toEqual(asText('left', there));
  });
});

describe('When Redis loses all it has', () => {
  it('all is there again within a refresh, and nobody hears of it', async () => {
    const redis = await startRedis();
    const over = { url: redis.url, leaseRefreshMs: 1_000, leaseTtlMs: 12_000 };
    const [a, b] = [await start('a', over), await start('b', over)];
    const [onA, onB] = [everywhere('a'), everywhere('b')];
    await Promise.all([a.set(...onA), b.set(...onB)]);
    await expect.poll(async () => (await a.heard()).length).toBe(onA.length + onB.length);
    const before = [...(await a.heard())];
    await redis.cli('FLUSHALL');
    const since = performance.now();
    await reads(a, [...onA, ...onB]);
    expect(performance.now() - since).toBeLessThan(8_000);
    await delay(1_000);
    expect(await a.heard()).toEqual(before);
    expect((await allTold(a, b)).length).toBe(before.length);
  });

  it('everybody would join a second time if users who were known were not reported silently', async () => {
    const lost = vi.spyOn(PresenceOutbox.prototype, 'lost').mockImplementation(function (this: PresenceOutbox) {
      this.forgotten();
    });
    onTestFinished(() => lost.mockRestore());
    const redis = await startRedis();
    const a = await start('a', { url: redis.url, ...QUICK });
    const there = everywhere('there', 3);
    await a.set(...there);
    await redis.cli('FLUSHALL');
    await expect.poll(() => a.told()).toHaveLength(2 * there.length);
    expect(only('joined', await a.told())).toEqual([...asText('joined', there), ...asText('joined', there)].sort());
  });

  it('because it was killed and comes back empty, only what has changed meanwhile is told', async () => {
    const redis = await startRedis();
    const over = { url: redis.url, ...QUICK };
    const [a, b] = [await start('a', over), await start('b', over)];
    const [stays, leaves, comes] = [everywhere('stays'), everywhere('leaves', 3), everywhere('comes', 3)];
    await Promise.all([a.set(...stays), b.set(...stays), a.set(...leaves)]);
    await expect.poll(async () => (await b.heard()).length).toBe(stays.length + leaves.length);
    const before = (await b.heard()).length;
    await redis.kill();
    await Promise.all([a.remove(...leaves), a.set(...comes)]);
    await redis.restart();
    const there = [...stays.map(([room, user]): Move => [room, user]), ...comes];
    await expect
      .poll(() => b.read(ROOMS[0]!))
      .toEqual(
        there
          .filter(([room]) => room === ROOMS[0])
          .map(([, user]) => `${user}:${user.startsWith('stays') ? 2 : 1}`)
          .sort(),
      );
    await expect.poll(async () => only('left', await allTold(a, b))).toEqual(asText('left', leaves));
    const news = (await b.heard()).slice(before);
    // Changes published before the subscriptions were back are missed.
    for (const text of news) expect([...asText('left', leaves), ...asText('joined', comes)]).toContain(text);
    expect(only('joined', await allTold(a, b))).toHaveLength(stays.length + leaves.length + comes.length);
  });

  it('and has an older state instead, it ends in what there is', async () => {
    const redis = await startRedis();
    const over = { url: redis.url, ...QUICK };
    const [a, b] = [await start('a', over), await start('b', over)];
    const [stays, leaves, comes] = [everywhere('stays', 5), everywhere('leaves', 3), everywhere('comes', 3)];
    await Promise.all([a.set(...stays), b.set(...leaves)]);
    await redis.cli('SAVE');
    await Promise.all([a.set(...comes), b.remove(...leaves)]);
    await redis.kill();
    await redis.restart();
    await reads(a, [...stays, ...comes], 10_000);
    expect(only('left', await allTold(a, b)).filter((text) => !text.includes('leaves'))).toEqual([]);
  });
});

describe('When Redis halts for longer than a lease', () => {
  it('nobody is taken for dead', async () => {
    const redis = await startRedis();
    const over = { url: redis.url, ...QUICK };
    const nodes = [await start('a', over), await start('b', over), await start('c', over)];
    const there = nodes.map((_, index) => everywhere(`on-${index}`, 3));
    await Promise.all(nodes.map((node, index) => node.set(...there[index]!)));
    redis.pause();
    await delay(2_500);
    redis.resume();
    await delay(2_000);
    expect(only('left', await allTold(...nodes))).toEqual([]);
    await reads(nodes[0]!, there.flat());
  });
});
