import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startRedisCluster, type RedisCluster } from '../../../../test/helpers/redis-cluster.js';
import { ClusterNetwork } from './cluster-network.js';
import { RedisChannels } from './redis-channels.js';
import type { RedisBackendOptions } from './redis-options.js';

const channels = new RedisChannels('realtime', 0, 64);
const SUBJECTS = Array.from({ length: 300 }, (_, i) => `topic:${i}`);
const SLOTS = 16_384;

let cluster: RedisCluster;
let options: RedisBackendOptions;

beforeEach(async () => {
  collectLogs();
  cluster = await startRedisCluster();
  options = {
    cluster: { rootNodes: cluster.urls.map((url) => ({ url })) },
    commandTimeoutMs: 1_000,
    leaseRefreshMs: 200,
    leaseTtlMs: 1_000,
  };
}, 60_000);

async function start(): Promise<[RedisBusNode, RedisBusNode]> {
  const [a, b] = [await RedisBusNode.start(options), await RedisBusNode.start(options)];
  for (const node of [a, b]) await Promise.all(SUBJECTS.map(async (subject) => node.bus.join(subject)));
  return [a, b];
}

const attached = (...nodes: RedisBusNode[]) =>
  vi.waitFor(() => expect(nodes.map(({ bus }) => bus.isAttached)).toEqual(nodes.map(() => true)), 20_000);

/** The one of the three servers that has a subject. */
const indexOf = (subject: string) => {
  const slot = channels.slotOf(channels.of(subject).partition);
  return Math.floor(slot / Math.ceil(SLOTS / 3));
};

async function assertWhole([a, b]: [RedisBusNode, RedisBusNode]): Promise<void> {
  await attached(a, b);
  await vi.waitFor(async () => {
    const reports = await Promise.all(SUBJECTS.map((subject) => a.publish(subject)));
    for (const report of reports) expect(report).toEqual({ recipients: 2, nodes: 2, complete: true });
  }, 20_000);
}

describe('a Redis Cluster', { timeout: 60_000 }, () => {
  it('reaches the nodes over all of its servers', async () => {
    expect(new Set(SUBJECTS.map(indexOf)).size).toBe(3);
    await assertWhole(await start());
  });

  it('that loses a server serves what that server had on this node alone, and the rest as before', async () => {
    const nodes = await start();
    const [a] = nodes;
    await cluster.servers[1]!.kill();
    await vi.waitFor(() => expect(a.bus.isAttached).toBe(false), 15_000);
    const lost = SUBJECTS.find((subject) => indexOf(subject) === 1)!;
    expect(await a.publish(lost)).toEqual({ recipients: 1, nodes: 1, complete: false });
    await cluster.servers[1]!.restart();
    await assertWhole(nodes);
  });

  it('that is away altogether is complained of once', async () => {
    const logs = collectLogs();
    const [node] = await start();
    const asked = vi.spyOn(ClusterNetwork.prototype, 'tick');
    onTestFinished(() => asked.mockRestore());
    await Promise.all(cluster.servers.map((server) => server.kill()));
    await vi.waitFor(() => expect(node.bus.isAttached).toBe(false), 5_000);
    asked.mockClear();
    // It looks at least once in 20 ticks.
    await vi.waitFor(() => expect(asked.mock.calls.length).toBeGreaterThan(150), 15_000);
    expect(logs.filter((line) => line.includes('slot map'))).toHaveLength(2);
  });

  it('that moves slots to another server keeps all subjects', async () => {
    const nodes = await start();
    const [from, to] = [cluster.servers[0]!, cluster.servers[1]!];
    const slots = channels
      .all()
      .map((partition) => channels.slotOf(partition))
      .filter((slot) => Math.floor(slot / Math.ceil(SLOTS / 3)) === 0);
    const [source, target] = [await from.cli('CLUSTER', 'MYID'), await to.cli('CLUSTER', 'MYID')];
    for (const slot of slots.slice(0, 5)) {
      await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', source);
      await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target);
      for (const server of [to, from, cluster.servers[2]!])
        await server.cli('CLUSTER', 'SETSLOT', slot, 'NODE', target);
    }
    await assertWhole(nodes);
  });

  it('lists the nodes, and counts what they have over all servers', async () => {
    const [a, b] = await start();
    await vi.waitFor(async () =>
      expect((await a.directory.nodes()).map(({ id }) => id).sort()).toEqual([a.id, b.id].sort()),
    );
    expect(await a.directory.counts()).toMatchObject({ connections: 2, topics: SUBJECTS.length });
  });
});
