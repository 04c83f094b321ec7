import { redisBackend } from 'nestjs-realtime/redis';
import type { TestClient } from 'nestjs-realtime/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PendingAnswers } from '../../../lib/adapters/redis/bus/pending-answers.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import type { FaultNode } from '../load/fault-node.js';
import { Rooms } from '../load/node/rooms.js';
import { startNode } from '../load/start-node.js';

const LEASE_TTL_MS = 1_000;
const ROOM = 'room:1';

/** A node in this process and one in a separate process, each with a user in the room. */
interface Pair {
  readonly redis: RedisServer;
  readonly here: RealtimeApp;
  readonly there: FaultNode;
  readonly ann: TestClient;
  readonly bob: Guest;
}

async function pair(leaseTtlMs = LEASE_TTL_MS): Promise<Pair> {
  const redis = await startRedis();
  trustNewServers();
  const over = { url: redis.url, leaseRefreshMs: 200, leaseTtlMs };
  const there = await startNode({ redis: over });
  const here = await startRealtimeApp({ backend: redisBackend(over), providers: [Rooms] });
  const [ann, bob] = [await there.connect('ann'), await here.connectAs('bob')];
  await ann.next('realtime:welcome');
  for (const client of [ann, bob]) await client.request({ action: 'subscribe', topic: ROOM });
  await expect.poll(() => here.realtime.counts()).toMatchObject({ connections: 2, users: 2 });
  return { redis, here, there, ann, bob };
}

/** Publishes a number to the room. @returns what was reported, and how long that took */
async function publish({ here }: Pair, n: number) {
  const start = performance.now();
  const report = await here.realtime.publish(ROOM, { type: 'count', payload: n });
  return { ...report, ms: performance.now() - start };
}

/** Resolves when this node lists so many. @returns how long it took, in milliseconds */
async function listed({ here }: Pair, count: number, timeout: number): Promise<number> {
  const start = performance.now();
  await expect.poll(async () => (await here.realtime.nodes()).length, { timeout, interval: 50 }).toBe(count);
  return performance.now() - start;
}

/** The numbers that have arrived. */
function numbers(client: TestClient): number[] {
  return client.pending.filter(({ type }) => type === 'count').map(({ payload }) => payload as number);
}

describe('When a node is killed', () => {
  it('nobody waits for it, and it is forgotten with all that it had when its lease runs out', async () => {
    const nodes = await pair();
    await nodes.there.kill();
    await expect.poll(async () => (await publish(nodes, 1)).recipients).toBe(1);
    await expect.poll(async () => (await publish(nodes, 2)).ms).toBeLessThan(900);
    await listed(nodes, 1, LEASE_TTL_MS + 1_000);
    const moved = await nodes.here.connectAs('ann');
    await expect
      .poll(() => nodes.here.realtime.sendToUser('ann', { type: 'hello' }))
      .toEqual({ recipients: 1, nodes: 1, complete: true });
    await moved.next('hello');
    await expect
      .poll(() => nodes.here.realtime.counts())
      .toEqual({ connections: 2, users: 2, topics: 1, subscriptions: 1 });
    await nodes.here.close();
    expect(await nodes.redis.cli('KEYS', '*')).toBe('');
    expect(await nodes.redis.cli('PUBSUB', 'CHANNELS')).toBe('');
  });

  it('it would be listed for ever if its lease did not run out', async () => {
    const nodes = await pair(3_600_000);
    await nodes.there.kill();
    await delay(LEASE_TTL_MS + 1_000);
    expect(await nodes.here.realtime.nodes()).toHaveLength(2);
  });
});

describe('When a node halts', () => {
  /** Halts the other node. */
  function halt({ there }: Pair): void {
    there.signal('SIGSTOP');
    onTestFinished(() => there.signal('SIGCONT'));
  }

  it('one message waits a second for it, others do not; it is off the list, and is back with all that it has', async () => {
    const nodes = await pair();
    halt(nodes);
    const { ms, ...report } = await publish(nodes, 0);
    expect(report).toEqual({ recipients: 1, nodes: 1, complete: false });
    expect(ms).toBeGreaterThan(900);
    const timesMs: number[] = [];
    for (let n = 1; n < 10; n++) {
      const next = await publish(nodes, n);
      expect(next).toMatchObject({ recipients: 1, nodes: 1, complete: false });
      timesMs.push(next.ms);
    }
    // Most, not all: the machine may be slow.
    expect(timesMs.toSorted((a, b) => a - b)[4]).toBeLessThan(900);
    await listed(nodes, 1, LEASE_TTL_MS + 2_000);
    nodes.there.signal('SIGCONT');
    await listed(nodes, 2, 2_000);
    await expect.poll(() => publish(nodes, 10)).toMatchObject({ recipients: 2, nodes: 2, complete: true });
    await expect
      .poll(() => nodes.here.realtime.counts())
      .toEqual({ connections: 2, users: 2, topics: 1, subscriptions: 2 });
    await nodes.ann.settled();
    const arrived = numbers(nodes.ann).filter((n) => n < 10);
    expect(arrived).toEqual([...new Set(arrived)].toSorted((a, b) => a - b));
  });

  it('every message would wait for it if nobody remembered who is silent', async () => {
    const rollCalled = vi.spyOn(PendingAnswers.prototype, 'rollCalled').mockReturnValue();
    onTestFinished(() => rollCalled.mockRestore());
    const nodes = await pair();
    halt(nodes);
    for (let n = 0; n < 3; n++) expect((await publish(nodes, n)).ms).toBeGreaterThan(900);
  });
});
