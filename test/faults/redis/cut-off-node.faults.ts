import { connection, user, type DeliveryReport } from 'nestjs-realtime';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeCoverage } from '../../../lib/adapters/redis/bus/node-coverage.js';
import { RedisSubscriptions } from '../../../lib/adapters/redis/bus/redis-subscriptions.js';
import { MissedOrders } from '../../../lib/adapters/redis/bus/missed-orders.js';
import { OwnLease } from '../../../lib/core/bus/own-lease.js';
import { startRedis } from '../../helpers/redis-server.js';
import { Fleet, type FleetNode } from './fleet.js';

/** Leases outlive the tests. */
const OVER = { leaseRefreshMs: 500, leaseTtlMs: 60_000 };

/** Two nodes that know of each other; the way of the second to Redis is cut, with alice on it. */
async function cutOff(over = OVER) {
  const fleet = await Fleet.start({ over });
  const [node, cut] = fleet.nodes;
  const alice = await cut!.connectAs('alice');
  await expect.poll(() => node!.realtime.nodes()).toHaveLength(2);
  await expect.poll(() => node!.realtime.isOnline('alice').catch(() => false)).toBe(true);
  cut!.proxy.refuse();
  await expect.poll(() => fleet.redis.cli('PUBSUB', 'NUMSUB', 'realtime@0:user:alice')).toMatch(/\n0$/);
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
    // To wait for it would take a second each time.
    expect(performance.now() - before).toBeLessThan(5_000);
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

describe('A node that is back before anybody has asked who is subscribed', () => {
  /** Alice's node is cut off while something is sent to her, and back before the sender has asked. @returns the report */
  async function late(send: (node: FleetNode) => Promise<DeliveryReport>): Promise<DeliveryReport> {
    const fleet = await Fleet.start({ over: { ...OVER, commandTimeoutMs: 30_000, probeIntervalMs: 60_000 } });
    const [node, cut] = fleet.nodes as [FleetNode, FleetNode];
    await cut.connectAs('alice');
    await fleet.healed();
    const executed = async () => {
      const stats = await fleet.redis.cli('INFO', 'commandstats');
      return Number(/cmdstat_publish:calls=(\d+)/.exec(stats)![1]);
    };
    cut.proxy.refuse();
    await expect.poll(() => fleet.redis.cli('PUBSUB', 'NUMSUB', 'realtime@0:user:alice')).toMatch(/\n0$/);
    const before = await executed();
    // Whoever is subscribed is asked for once, and then again when the answer is there.
    node.proxy.stall(['replies'], 'PUBLISH');
    void node.realtime.sendToUser('alice', { type: 'hello' });
    await nextTurn();
    const sent = send(node);
    await expect.poll(executed).toBeGreaterThanOrEqual(before + 2);
    cut.proxy.pass();
    await expect.poll(() => cut.realtime.isAttached, { timeout: 15_000 }).toBe(true);
    node.proxy.pass();
    return sent;
  }

  it.each<[string, (node: FleetNode) => Promise<DeliveryReport>]>([
    ['message', ({ realtime }) => realtime.sendToUser('alice', { type: 'hello' })],
    ['order', ({ realtime }) => realtime.revalidate(user('alice'))],
  ])('keeps the report of a %s from being complete that it has missed', async (_what, send) => {
    expect(await late(send)).toEqual({ recipients: 0, nodes: 0, complete: false });
  });

  it('would count as if nobody were on it if it did not tell that it has lost its subscriptions', async () => {
    const { restore } = RedisSubscriptions.prototype;
    const restoring = vi.spyOn(RedisSubscriptions.prototype, 'restore');
    restoring.mockImplementation(function (this: RedisSubscriptions, server) {
      return restore.call(this, server, true);
    });
    onTestFinished(() => restoring.mockRestore());
    const report = await late(({ realtime }) => realtime.sendToUser('alice', { type: 'hello' }));
    expect(report).toEqual({ recipients: 0, nodes: 0, complete: true });
  });
});

describe('What was ordered while a node was cut off', () => {
  /** The way is whole again. */
  async function back({ cut, fleet }: Awaited<ReturnType<typeof cutOff>>): Promise<void> {
    cut.proxy.pass();
    await expect.poll(() => cut.realtime.isAttached).toBe(true);
    await fleet.healed();
  }

  it('is carried out when it is back: connections are ended', async () => {
    const nodes = await cutOff();
    await nodes.realtime.disconnect(user('alice'));
    await back(nodes);
    expect((await nodes.alice.nextClose()).code).toBe(3503);
    expect(await nodes.realtime.isOnline('alice')).toBe(false);
  });

  it('is carried out before it counts as attached', async () => {
    const nodes = await cutOff();
    await nodes.realtime.disconnect(user('alice'));
    nodes.cut.proxy.pass();
    await expect.poll(() => nodes.cut.realtime.isAttached, { interval: 1 }).toBe(true);
    expect(await nodes.realtime.isOnline('alice').catch(() => false)).toBe(false);
    expect((await nodes.cut.realtime.nodes())[0]!.connections).toBe(1);
  });

  it('is carried out when it was reported as complete, because its lease had run out', async () => {
    const nodes = await cutOff({ leaseRefreshMs: 500, leaseTtlMs: 1_000 });
    await expect.poll(() => nodes.realtime.nodes()).toHaveLength(1);
    await expect.poll(() => nodes.realtime.disconnect(user('alice'))).toMatchObject({ complete: true });
    await back(nodes);
    expect((await nodes.alice.nextClose()).code).toBe(3503);
  });

  it('is carried out in its order: rights as they were given last, and topics that were taken away', async () => {
    const nodes = await cutOff();
    const { realtime, alice } = nodes;
    for (const roles of [['admin'], ['guest']]) await realtime.changeRights(user('alice'), { roles });
    await realtime.unsubscribe(nodes.cut.reader.id, 'feed').catch(() => undefined);
    nodes.cut.proxy.pass();
    await expect.poll(() => nodes.cut.realtime.isAttached).toBe(true);
    const found = () => realtime.connection(alice.id).catch(() => undefined);
    await expect.poll(async () => [...((await found())?.roles ?? [])]).toEqual(['guest']);
    expect(await realtime.topicsOf(nodes.cut.reader.id)).toEqual([]);
  });

  it('before somebody came is not carried out on who came after it', async () => {
    const fleet = await Fleet.start({ over: OVER });
    const [node, cut] = fleet.nodes;
    const first = await cut!.connectAs('alice');
    expect(await node!.realtime.disconnect(user('alice'))).toEqual({ recipients: 1, nodes: 1, complete: true });
    await first.nextClose();
    const second = await cut!.connectAs('alice');
    cut!.proxy.refuse();
    await expect.poll(() => cut!.realtime.isAttached).toBe(false);
    cut!.proxy.pass();
    await fleet.healed();
    expect(await node!.realtime.sendToUser('alice', { type: 'hello' })).toMatchObject({ recipients: 1 });
    await second.next('hello');
  });

  it('has all connections come back when more was ordered than is kept', async () => {
    const nodes = await cutOff();
    const many = Array.from({ length: 4_200 }, (_, n) => nodes.realtime.revalidate(user(`user-${n}`)));
    await Promise.all(many);
    nodes.cut.proxy.pass();
    expect((await nodes.alice.nextClose()).code).toBe(3000);
  });

  it('would be lost if nobody asked for it: the connection would stay', async () => {
    const catchUp = vi.spyOn(MissedOrders.prototype, 'catchUp').mockResolvedValue();
    onTestFinished(() => catchUp.mockRestore());
    const nodes = await cutOff();
    await nodes.realtime.disconnect(user('alice'));
    await back(nodes);
    expect(await nodes.realtime.isOnline('alice')).toBe(true);
  });
});

describe('When Redis loses what was ordered while a node was cut off', () => {
  type Nodes = Awaited<ReturnType<typeof cutOff>>;

  /** The lease of the node that is cut off is over, alice is disconnected on the other one, and Redis loses data. */
  async function ordered(lose: (nodes: Nodes) => Promise<unknown>): Promise<Nodes> {
    const nodes = await cutOff({ leaseRefreshMs: 300, leaseTtlMs: 2_000 });
    // What it comes back with if it comes back with older data.
    await nodes.fleet.redis.cli('SAVE');
    await expect.poll(() => nodes.realtime.nodes()).toHaveLength(1);
    await expect.poll(() => nodes.realtime.disconnect(user('alice'))).toMatchObject({ complete: true });
    await lose(nodes);
    nodes.cut.proxy.pass();
    await expect.poll(() => nodes.cut.realtime.isAttached, { interval: 1 }).toBe(true);
    return nodes;
  }

  it.each<[string, (nodes: Nodes) => Promise<unknown>]>([
    ['is emptied', ({ fleet }) => fleet.redis.cli('FLUSHALL')],
    ['starts again with older data', ({ fleet }) => fleet.redis.restart()],
    [
      'starts again without data',
      async ({ fleet: { redis } }) => {
        await rm(join(redis.dir, 'dump.rdb'));
        await redis.restart();
      },
    ],
    [
      'is replaced by a server that has not got them, and has been up all the time',
      async ({ fleet }) => {
        const successor = await startRedis();
        for (const { proxy } of fleet.nodes) proxy.redirect(successor.port);
        await fleet.redis.kill();
      },
    ],
  ])('the connections of that node are ended, if Redis %s', async (_how, lose) => {
    const { realtime, alice } = await ordered(lose);
    expect((await alice.nextClose()).code).toBe(3000);
    await expect.poll(() => realtime.isOnline('alice').catch(() => undefined)).toBe(false);
  });

  it('they would stay if it did not matter that the lease was over', async () => {
    const overFrom = vi.spyOn(OwnLease.prototype, 'overFrom').mockReturnValue(Infinity);
    onTestFinished(() => overFrom.mockRestore());
    const { realtime } = await ordered(({ fleet }) => fleet.redis.cli('FLUSHALL'));
    await expect.poll(() => realtime.isOnline('alice').catch(() => undefined)).toBe(true);
  });

  it('they stay while the lease was not over, since no report of an order was complete, even when Redis had lost the lease', async () => {
    const { fleet, realtime, cut } = await cutOff();
    await fleet.redis.cli('FLUSHALL');
    await expect.poll(() => realtime.nodes()).toHaveLength(1);
    expect(await realtime.disconnect(user('alice'))).toMatchObject({ complete: false });
    await fleet.redis.cli('FLUSHALL');
    cut.proxy.pass();
    await fleet.healed();
    expect(await realtime.isOnline('alice')).toBe(true);
  });
});
