import { user } from 'nestjs-realtime';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { FleetSight } from '../../../lib/core/bus/fleet-sight.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { Feed, Fleet, type FleetNode } from './fleet.js';

/** The grace period of nodes outlives the tests. */
const LONG = { leaseRefreshMs: 5_000, leaseTtlMs: 120_000, requireAtBoot: false };
/** It is over in a moment. */
const SHORT = { leaseRefreshMs: 300, leaseTtlMs: 2_000 };

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
