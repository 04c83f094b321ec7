import { user } from 'nestjs-realtime';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FleetSight } from '../../../lib/core/bus/fleet-sight.js';
import { startRedis } from '../../helpers/redis-server.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { Feed, Fleet, type FleetNode } from './fleet.js';

/** The grace period of nodes outlives the tests. */
const LONG = { leaseRefreshMs: 5_000, leaseTtlMs: 120_000, requireAtBoot: false };
/** It is over in a moment. */
const SHORT = { leaseRefreshMs: 300, leaseTtlMs: 2_000 };
const PATIENT = { timeout: 15_000 };

/** The report of a send that has reached nobody, from a node that cannot know whether there is somebody. */
const UNKNOWN = { recipients: 0, nodes: 0, complete: false };

/** A node that is attached, and one that cannot reach Redis, whose lease is lost. */
interface Pair {
  readonly node: RealtimeApp;
  readonly away: FleetNode;
}

/** Redis comes back empty; of a node that was there and one that starts, only the latter reaches it. */
async function emptied(starts: 'before' | 'after', leases: Partial<RedisBackendOptions> = LONG): Promise<Pair> {
  const fleet = await Fleet.start({ size: 1, over: leases, isRedisNew: true });
  const [away] = fleet.nodes as [FleetNode];
  const backend = redisBackend({ ...leases, url: fleet.redis.url, requireAtBoot: false });
  const start = () => startRealtimeApp({ backend, providers: [Feed] });
  await fleet.redis.kill();
  away.proxy.refuse();
  const early = starts === 'before' ? await start() : undefined;
  await fleet.redis.restart();
  const node = early ?? (await start());
  await expect.poll(() => node.realtime.isAttached).toBe(true);
  return { node, away };
}

/** Redis loses data while the only node cannot reach it; another one starts. */
async function lost(
  lose: (fleet: Fleet) => Promise<unknown>,
  leases: Partial<RedisBackendOptions> = LONG,
): Promise<Pair> {
  const fleet = await Fleet.start({ size: 1, over: leases });
  const [away] = fleet.nodes as [FleetNode];
  await expect.poll(() => fleet.redis.cli('ZCARD', 'realtime@0:{nodes}:expiries')).toBe('1');
  away.proxy.refuse();
  await expect.poll(() => away.realtime.isAttached).toBe(false);
  await lose(fleet);
  const node = await startRealtimeApp({
    backend: redisBackend({ ...leases, url: fleet.redis.url }),
    providers: [Feed],
  });
  return { node, away };
}

/** Redis evicts all keys. */
async function evictAll({ redis }: Fleet): Promise<void> {
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random');
  await redis.cli('CONFIG', 'SET', 'maxmemory', 1);
  await expect.poll(() => redis.cli('DBSIZE')).toBe('0');
  await redis.cli('CONFIG', 'SET', 'maxmemory', 0);
}

/** Redis starts again with its data. Tests take it for one that is up for longer than nodes are waited for: so it is after it has loaded for long. */
async function reloaded({ redis }: Fleet): Promise<void> {
  await redis.cli('SAVE');
  await redis.restart();
}

/** The same, with data from before the node that is away has announced itself. */
async function reloadedOlder(fleet: Fleet): Promise<void> {
  const [expiries, leases] = ['realtime@0:{nodes}:expiries', 'realtime@0:{nodes}:leases'];
  const id = await fleet.redis.cli('ZRANGE', expiries, 0, 0);
  await fleet.redis.cli('ZREM', expiries, id);
  expect(await fleet.redis.cli('HDEL', leases, id)).toBe('1');
  await reloaded(fleet);
}

/** The same, while all leases run out. */
async function reloadedLate(fleet: Fleet): Promise<void> {
  await fleet.redis.cli('DEL', 'realtime@0:{nodes}:expiries', 'realtime@0:{nodes}:leases');
  await fleet.redis.cli('SET', 'other', 1);
  await reloaded(fleet);
}

/** Redis becomes a replica that has got nothing yet, and is promoted. */
async function promoted({ redis }: Fleet): Promise<void> {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  await redis.cli('REPLICAOF', '127.0.0.1', master.port);
  await expect.poll(() => redis.cli('INFO', 'replication'), PATIENT).toContain('master_link_status:up');
  await redis.cli('REPLICAOF', 'NO', 'ONE');
  expect(await redis.cli('DBSIZE')).toBe('0');
}

/** Two nodes cannot reach Redis for longer than their leases; then only the first one does, and finds itself alone. */
async function outage(meanwhile: (fleet: Fleet) => Promise<void>): Promise<Pair> {
  const fleet = await Fleet.start({ over: SHORT, isRedisNew: true });
  const [node, away] = fleet.nodes as [FleetNode, FleetNode];
  await fleet.healed();
  // Its connections stay, so that it is back at once.
  node.proxy.stall();
  away.proxy.refuse();
  await meanwhile(fleet);
  await delay(SHORT.leaseTtlMs + 100);
  node.proxy.pass();
  await expect.poll(() => node.realtime.isAttached, { interval: 1 }).toBe(true);
  await expect.poll(() => node.realtime.nodes(), { interval: 1 }).toHaveLength(1);
  return { node, away };
}

describe('When Redis comes back empty, and a node is not back yet', () => {
  it.each(['before', 'after'] as const)('no report is complete of a node that has started %s that', async (starts) => {
    const { node } = await emptied(starts);
    const reports = [
      await node.realtime.sendToUser('reader-0', { type: 'hello' }),
      await node.realtime.publish('feed', { type: 'hello' }),
      await node.realtime.broadcast({ type: 'hello' }),
    ];
    expect(reports).toEqual([UNKNOWN, UNKNOWN, UNKNOWN]);
  });

  it('no order is reported as complete', async () => {
    const { node, away } = await emptied('after');
    expect(await node.realtime.disconnect(user('reader-0'))).toEqual(UNKNOWN);
    expect(await node.realtime.revalidate(user('reader-0'))).toEqual(UNKNOWN);
    expect(await node.realtime.changeRights(user('reader-0'), { roles: [] })).toEqual(UNKNOWN);
    await expect(node.realtime.subscribe(away.reader.id, 'feed')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('no answer that needs all nodes is given', async () => {
    const { node, away } = await emptied('after');
    for (const asked of [
      node.realtime.isOnline('reader-0'),
      node.realtime.connection(away.reader.id),
      node.realtime.connectionsOf('reader-0'),
      node.realtime.subscribersOf('feed'),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
  });

  it('reports are complete once all nodes have had time to come back', async () => {
    const { node, away } = await emptied('before', SHORT);
    away.proxy.pass();
    const send = () => node.realtime.sendToUser('reader-0', { type: 'hello' });
    await expect.poll(send).toEqual({ recipients: 1, nodes: 1, complete: true });
  });

  it('a report would be complete without its clients if nobody asked for how long Redis has been up', async () => {
    const isWhole = vi.spyOn(FleetSight.prototype, 'isWhole').mockReturnValue(true);
    onTestFinished(() => isWhole.mockRestore());
    const { node } = await emptied('before');
    await expect
      .poll(() => node.realtime.sendToUser('reader-0', { type: 'hello' }))
      .toEqual({ recipients: 0, nodes: 0, complete: true });
    expect(await node.realtime.isOnline('reader-0')).toBe(false);
  });
});

describe('When the data of a Redis that has been up for long may be lost, and a node is not back yet', () => {
  it.each<[string, (fleet: Fleet) => Promise<unknown>]>([
    ['emptied', ({ redis }) => redis.cli('FLUSHALL')],
    ['emptied in this database', ({ redis }) => redis.cli('FLUSHDB')],
    ['exchanged for an empty one', ({ redis }) => redis.cli('SWAPDB', 0, 1)],
    ['evicted', evictAll],
    ['deleted in part', ({ redis }) => redis.cli('DEL', 'realtime@0:{nodes}:expiries')],
    ['loaded for long, and are older than a lease', reloadedOlder],
    ['loaded for so long that the leases have run out', reloadedLate],
    ['replaced by those of a replica that was promoted too early', promoted],
  ])('no report of a node that starts then is complete, if they were %s', async (_how, lose) => {
    const { node, away } = await lost(lose);
    expect(await node.realtime.disconnect(user('reader-0'))).toEqual(UNKNOWN);
    expect(await node.realtime.publish('feed', { type: 'hello' })).toEqual(UNKNOWN);
    await expect(node.realtime.isOnline('reader-0')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(node.realtime.connection(away.reader.id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('reports are complete once all nodes have had time to come back', async () => {
    const { node, away } = await lost(({ redis }) => redis.cli('FLUSHALL'), SHORT);
    away.proxy.pass();
    const send = () => node.realtime.sendToUser('reader-0', { type: 'hello' });
    await expect.poll(send).toEqual({ recipients: 1, nodes: 1, complete: true });
  });

  it('what is left of the lease of a node that is gone is removed: it would keep later nodes from knowing the fleet', async () => {
    const { redis } = await Fleet.start({ size: 1, over: SHORT });
    await expect.poll(() => redis.cli('ZCARD', 'realtime@0:{nodes}:expiries')).toBe('1');
    await redis.cli('HSET', 'realtime@0:{nodes}:leases', 'gone', 'a lease without an expiry');
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:{nodes}:leases', 'gone')).toBe('0');
    expect(await redis.cli('HLEN', 'realtime@0:{nodes}:leases')).toBe('2');
  });

  it.each<[string, (fleet: Fleet) => Promise<unknown>]>([
    ['emptied', ({ redis }) => redis.cli('FLUSHALL')],
    ['loaded for so long that the leases have run out', reloadedLate],
  ])(
    'a report would be complete without its clients if nobody asked since when leases are whole that were %s',
    async (_how, lose) => {
      const { read } = FleetSight.prototype;
      const reading = vi.spyOn(FleetSight.prototype, 'read').mockImplementation(function (this: FleetSight, now) {
        read.call(this, now, Infinity);
      });
      onTestFinished(() => reading.mockRestore());
      const { node } = await lost(lose);
      expect(await node.realtime.disconnect(user('reader-0'))).toEqual({ recipients: 0, nodes: 0, complete: true });
      expect(await node.realtime.isOnline('reader-0')).toBe(false);
    },
  );

  it('reports of the first node are complete at once on a Redis that has never lost anything', async () => {
    const { redis } = await Fleet.start({ size: 1, over: LONG });
    const backend = redisBackend({ ...LONG, url: redis.url, prefix: 'another' });
    const { realtime } = await startRealtimeApp({ backend, providers: [Feed] });
    expect(await realtime.publish('feed', { type: 'hello' })).toEqual({ recipients: 0, nodes: 0, complete: true });
  });
});

describe('When nodes could not reach Redis for longer than their leases, and one is not back yet', () => {
  it.each<[string, (fleet: Fleet) => Promise<void>]>([
    ['has come back empty', ({ redis }) => redis.restart()],
    ['was up all the time', async () => undefined],
  ])('no report is complete, if Redis %s', async (_how, meanwhile) => {
    const { node } = await outage(meanwhile);
    expect(await node.realtime.sendToUser('reader-1', { type: 'hello' })).toEqual(UNKNOWN);
  });

  it('a report would be complete without its clients if it did not matter for how long the leases were not read', async () => {
    const isWhole = vi.spyOn(FleetSight.prototype, 'isWhole').mockReturnValue(true);
    onTestFinished(() => isWhole.mockRestore());
    const { node } = await outage(async () => undefined);
    await expect
      .poll(() => node.realtime.sendToUser('reader-1', { type: 'hello' }))
      .toEqual({ recipients: 0, nodes: 0, complete: true });
  });
});
