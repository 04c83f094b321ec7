import { connection, user } from 'nestjs-realtime';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeCoverage } from '../../../lib/adapters/redis/bus/node-coverage.js';
import { Fleet } from './fleet.js';

/** Leases outlive the tests. */
const OVER = { leaseRefreshMs: 500, leaseTtlMs: 60_000 };

/** Two nodes that know of each other; the way of the second to Redis is cut, with alice on it. */
async function cutOff() {
  const fleet = await Fleet.start({ over: OVER });
  const [node, cut] = fleet.nodes;
  const alice = await cut!.connectAs('alice');
  await expect.poll(() => node!.realtime.nodes()).toHaveLength(2);
  expect(await node!.realtime.isOnline('alice')).toBe(true);
  cut!.proxy.refuse();
  await expect.poll(() => fleet.redis.cli('PUBSUB', 'NUMSUB', 'realtime:user:alice')).toMatch(/\n0$/);
  return { fleet, realtime: node!.realtime, cut: cut!, alice };
}

describe('A node that is cut off from Redis, with a lease that holds', () => {
  it('keeps every report of a message from being complete', async () => {
    const { realtime } = await cutOff();
    const reports = [
      await realtime.sendToUser('alice', { type: 'hello' }),
      await realtime.publish('feed', { type: 'hello' }),
      await realtime.publish('feed', { type: 'hello' }, { report: false }),
      await realtime.broadcast({ type: 'hello' }),
    ];
    expect(reports.map(({ complete }) => complete)).toEqual([false, false, false, false]);
  });

  it('keeps orders from being reported as complete', async () => {
    const { realtime, alice } = await cutOff();
    expect(await realtime.disconnect(user('alice'))).toEqual({ recipients: 0, nodes: 0, complete: false });
    expect(await realtime.revalidate(user('alice'))).toMatchObject({ complete: false });
    expect(await realtime.changeRights(connection(alice.id), { roles: [] })).toMatchObject({ complete: false });
    await expect(realtime.subscribe(alice.id, 'feed')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('keeps answers that need all nodes from being given', async () => {
    const { realtime, alice } = await cutOff();
    for (const asked of [
      realtime.isOnline('alice'),
      realtime.connection(alice.id),
      realtime.topicsOf(alice.id),
      realtime.subscribersOf('feed'),
    ]) {
      await expect(asked).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    }
  });

  it('is waited for by nobody: each answer comes at once', async () => {
    const { realtime } = await cutOff();
    const before = performance.now();
    for (let n = 0; n < 10; n++) await realtime.sendToUser('alice', { type: 'hello' });
    expect(performance.now() - before).toBeLessThan(900);
  });

  it('would count as if nobody were on it if nobody asked who is subscribed', async () => {
    const isNeeded = vi.spyOn(NodeCoverage.prototype, 'isNeeded', 'get').mockReturnValue(false);
    onTestFinished(() => isNeeded.mockRestore());
    const { realtime, alice } = await cutOff();
    expect(await realtime.isOnline('alice')).toBe(false);
    expect(await realtime.connection(alice.id)).toBeUndefined();
    expect(await realtime.disconnect(user('alice'))).toEqual({ recipients: 0, nodes: 0, complete: true });
  });
});
