import { user } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { MissedOrders } from '../../../lib/adapters/redis/bus/missed-orders.js';
import { NodeCoverage } from '../../../lib/adapters/redis/bus/node-coverage.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { startRedisCluster } from '../../helpers/redis-cluster.js';
import { startTcpProxy } from '../../helpers/tcp-proxy.js';
import { Feed } from './fleet.js';

/** Leases outlive the tests. */
const OVER = { partitions: 16, leaseRefreshMs: 500, leaseTtlMs: 60_000, commandTimeoutMs: 2_000 };
const PATIENT = { timeout: 15_000, interval: 50 };

async function nodeOn(cluster: object, over: typeof OVER): Promise<RealtimeApp> {
  const app = await startRealtimeApp({
    backend: redisBackend({ ...over, cluster: cluster as never }),
    providers: [Feed],
    finished: () => undefined,
  });
  onTestFinished(() => app.close());
  return app;
}

/** Two nodes on a Redis Cluster; the ways of the second to all masters are cut, with alice on it. */
async function cutOff(over = OVER) {
  trustNewServers();
  const { servers, urls } = await startRedisCluster();
  const node = await nodeOn({ rootNodes: urls.map((url) => ({ url })) }, over);
  const proxies = await Promise.all(servers.map(({ port }) => startTcpProxy(port)));
  const ways = new Map(servers.map(({ port }, index) => [`127.0.0.1:${port}`, proxies[index]!.port]));
  const place = {
    rootNodes: proxies.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })),
    nodeAddressMap: (address: string) => ({
      host: '127.0.0.1',
      port: ways.get(address) ?? Number(address.split(':')[1]),
    }),
  };
  const cut = await nodeOn(place, over);
  const alice = await cut.connectAs('alice');
  await expect.poll(() => node.realtime.nodes(), PATIENT).toHaveLength(2);
  await expect.poll(() => node.realtime.isOnline('alice').catch(() => false), PATIENT).toBe(true);
  for (const proxy of proxies) proxy.refuse();
  await expect.poll(() => cut.realtime.isAttached, PATIENT).toBe(false);
  return {
    node: node.realtime,
    alice,
    servers,
    back: async () => {
      for (const proxy of proxies) proxy.pass();
      await expect.poll(() => cut.realtime.isAttached, PATIENT).toBe(true);
    },
    isHere: async () => (await cut.realtime.nodes())[0]!.connections === 1,
  };
}

describe('A node that is cut off from a Redis Cluster, with leases that hold', () => {
  it('keeps reports from being complete, and answers that need all nodes from being given', async () => {
    const { node } = await cutOff();
    expect(await node.sendToUser('alice', { type: 'hello' })).toMatchObject({ complete: false });
    expect(await node.revalidate(user('alice'))).toMatchObject({ recipients: 0, complete: false });
    await expect(node.isOnline('alice')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('carries out when it is back what was ordered meanwhile, before it counts as attached', async () => {
    const { node, alice, back, isHere } = await cutOff();
    expect(await node.disconnect(user('alice'))).toMatchObject({ complete: false });
    await back();
    expect(await isHere()).toBe(false);
    expect((await alice.nextClose(10_000)).code).toBe(3503);
  });

  it('has all connections come back if its lease was over, and a master has lost what was ordered', async () => {
    const { node, alice, servers, back } = await cutOff({ ...OVER, leaseRefreshMs: 300, leaseTtlMs: 2_000 });
    await expect.poll(() => node.nodes(), PATIENT).toHaveLength(1);
    await expect.poll(() => node.disconnect(user('alice')), PATIENT).toMatchObject({ complete: true });
    for (const server of servers) await server.cli('FLUSHALL');
    await back();
    expect((await alice.nextClose(10_000)).code).toBe(3000);
  });

  it('would count as if nobody were on it if nobody asked who is subscribed', async () => {
    const isNeeded = vi.spyOn(NodeCoverage.prototype, 'isNeeded', 'get').mockReturnValue(false);
    onTestFinished(() => isNeeded.mockRestore());
    const { node } = await cutOff();
    expect(await node.isOnline('alice')).toBe(false);
  });

  it('would keep the connection if it did not ask for what was ordered', async () => {
    const catchUp = vi.spyOn(MissedOrders.prototype, 'catchUp').mockResolvedValue();
    onTestFinished(() => catchUp.mockRestore());
    const { node, back, isHere } = await cutOff();
    await node.disconnect(user('alice'));
    await back();
    expect(await isHere()).toBe(true);
  });
});
