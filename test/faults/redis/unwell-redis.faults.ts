import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisConnection, type RedisClient } from '../../../lib/adapters/redis/connection/redis-connection.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { startRedis } from '../../helpers/redis-server.js';
import { Fleet, type FleetParts } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

/** Leases that are refreshed often, so that it shows soon what becomes of them. */
const QUICK: FleetParts = { over: { leaseRefreshMs: 200, leaseTtlMs: 2_000 } };

/** Waits until every node lists all nodes again. */
async function listed(fleet: Fleet): Promise<void> {
  for (const { realtime } of fleet.nodes) {
    await expect.poll(async () => (await realtime.nodes()).length).toBe(fleet.nodes.length);
  }
}

describe('When Redis is emptied', () => {
  it('nothing happens to what is sent, and the nodes list each other again', async () => {
    const fleet = await Fleet.start(QUICK);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    for (let time = 0; time < 5; time++) {
      await delay(100);
      await fleet.redis.cli('FLUSHALL');
    }
    await listed(fleet);
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.silentMs).toBe(0);
  });
});

/** Sends every command but those that bring the source of a script. */
function unlessEval(client: RedisClient) {
  return (args: string[]): Promise<unknown> => {
    return args[0] === 'EVAL' ? Promise.reject(new Error('not sent')) : client.sendCommand(args);
  };
}

describe('When Redis has forgotten its scripts', () => {
  it('nobody notices', async () => {
    const fleet = await Fleet.start(QUICK);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    for (let time = 0; time < 5; time++) {
      await delay(100);
      await fleet.redis.cli('SCRIPT', 'FLUSH');
    }
    expect(await fleet.nodes[0]!.realtime.counts()).toMatchObject({ connections: 2, users: 2, topics: 1 });
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBe(0);
  });

  it('nobody could count if nodes did not send them again', async () => {
    const fleet = await Fleet.start(QUICK);
    await listed(fleet);
    const { run } = RedisConnection.prototype;
    const spy = vi.spyOn(RedisConnection.prototype, 'run').mockImplementation(function (this: RedisConnection, use) {
      return run.call(this, (client) => use({ ...client, sendCommand: unlessEval(client) } as never)) as never;
    });
    onTestFinished(() => spy.mockRestore());
    await fleet.redis.cli('SCRIPT', 'FLUSH');
    await expect(fleet.nodes[0]!.realtime.counts()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('When Redis is full', () => {
  it('messages arrive all the same, and the nodes list each other again when there is room', async () => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start(QUICK);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    await delay(1_500);
    const before = fleet.readers.map(({ arrivals }) => arrivals.length);
    await delay(200);
    for (const [index, { arrivals }] of fleet.readers.entries())
      expect(arrivals.length).toBeGreaterThan(before[index]!);
    await fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await listed(fleet);
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(crashes).toEqual([]);
  });

  it('and throws keys away, the nodes list each other again', async () => {
    const fleet = await Fleet.start(QUICK);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await fleet.redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '1');
    await delay(500);
    await fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '0');
    await listed(fleet);
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
  });
});

describe('When Redis is busy with a script', () => {
  it('senders are told, and all is as before when it has ended', async () => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start({ ...QUICK, redis: await startRedis({ args: ['--busy-reply-threshold', '100'] }) });
    const traffic = new Traffic(fleet, { from: [0, 1] });
    const script = fleet.redis.cli('EVAL', 'while true do end', 0).catch(() => undefined);
    await delay(1_000);
    await fleet.redis.cli('SCRIPT', 'KILL');
    await script;
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBeGreaterThan(0);
    expect(crashes).toEqual([]);
  });
});

describe('When Redis loads its data for a while after a restart', () => {
  it('all is as before when it has loaded', async () => {
    const crashes = watchForCrashes();
    const args = [
      '--enable-debug-command',
      'yes',
      '--key-load-delay',
      '5000',
      '--loading-process-events-interval-bytes',
      '1024',
    ];
    // The leases outlive the outage, so that clients stay.
    const over = { leaseRefreshMs: 200, leaseTtlMs: 20_000 };
    const fleet = await Fleet.start({ over, redis: await startRedis({ args }) });
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await fleet.redis.cli('DEBUG', 'POPULATE', 300, 'key', 1_024);
    await fleet.redis.cli('SAVE');
    await fleet.redis.kill();
    await fleet.redis.restart();
    await fleet.healed();
    await listed(fleet);
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(crashes).toEqual([]);
  });
});

describe('When Redis answers 400 ms late', () => {
  it('nothing is lost, and clients are answered as fast as ever', async () => {
    const fleet = await Fleet.start();
    for (const { proxy } of fleet.nodes) proxy.delay(200);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    const timesMs: number[] = [];
    for (let time = 0; time < 50; time++) {
      const start = performance.now();
      await fleet.readers[0]!.line.ask({ action: 'ping' });
      timesMs.push(performance.now() - start);
      await delay(20);
    }
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBe(0);
    expect(traffic.slowestReportMs).toBeGreaterThan(400);
    // Most, not all: the machine may be slow.
    expect(timesMs.toSorted((a, b) => a - b)[25]).toBeLessThan(400);
  });

  it('closes do not wait for it', async () => {
    const fleet = await Fleet.start();
    for (const { proxy } of fleet.nodes) proxy.delay(2_000);
    const [{ realtime, reader }] = fleet.nodes as [Fleet['nodes'][number]];
    const closed = reader.line.closed.then(() => performance.now());
    const start = performance.now();
    const ended = new Promise<void>((resolve) =>
      realtime.events$.subscribe(({ type }) => type === 'disconnected' && resolve()),
    );
    reader.line.close();
    await ended;
    expect((await closed) - start).toBeLessThan(2_000);
    for (const { proxy } of fleet.nodes) proxy.pass();
  });
});
