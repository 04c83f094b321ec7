import { user } from 'nestjs-realtime';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisConnection } from '../../../lib/adapters/redis/connection/redis-connection.js';
import { RedisSubscriptions } from '../../../lib/adapters/redis/bus/redis-subscriptions.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

describe('When Redis is killed and comes back empty', () => {
  it('nothing arrives twice, in another order or unsaid, and all is restored', async () => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start();
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await delay(200);
    await fleet.redis.kill();
    await delay(1_000);
    await fleet.redis.restart();
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.silentMs).toBeLessThan(200);
    expect(traffic.reports.incomplete).toBeGreaterThan(100);
    expect(crashes).toEqual([]);
  });

  it('the connections of a node are served by that node meanwhile, and everybody is told that others were not', async () => {
    const fleet = await Fleet.start();
    await fleet.redis.kill();
    for (const [index, { realtime, reader }] of fleet.nodes.entries()) {
      await expect.poll(() => realtime.isAttached).toBe(false);
      expect(await realtime.publish('feed', { type: `from ${index}` })).toEqual({
        recipients: 1,
        nodes: 1,
        complete: false,
      });
      await reader.has(`from ${index}`);
      expect(await realtime.sendToUser('reader-0', { type: 'hello' })).toMatchObject({
        recipients: index === 0 ? 1 : 0,
        complete: false,
      });
    }
  });

  it('orders are carried out where they were given, and refused for the rest', async () => {
    const fleet = await Fleet.start();
    await fleet.redis.kill();
    const [first, second] = fleet.nodes;
    await expect.poll(() => first!.realtime.isAttached).toBe(false);
    await expect(first!.realtime.disconnect(user('reader-0'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(first!.realtime.disconnect(user('reader-1'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(first!.realtime.subscribe(second!.reader.id, 'other')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(first!.realtime.connectionsOf('reader-1')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(first!.realtime.counts()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await first!.reader.line.closed).toBe(3503);
    expect(second!.reader.line.isOpen).toBe(true);
  });

  it('nothing that was sent meanwhile is sent later', async () => {
    const fleet = await Fleet.start();
    await fleet.redis.kill();
    const [first, second] = fleet.nodes;
    await expect.poll(() => first!.realtime.isAttached).toBe(false);
    await Promise.all(Array.from({ length: 100 }, () => first!.realtime.broadcast({ type: 'meanwhile' })));
    await fleet.redis.restart();
    await fleet.healed();
    expect(second!.reader.count('meanwhile')).toBe(0);
    expect(first!.reader.count('meanwhile')).toBe(100);
  });
});

describe('When Redis halts', () => {
  async function haltFor(ms: number): Promise<Traffic> {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start();
    const traffic = new Traffic(fleet, { from: [0, 1], everyMs: 10 });
    await delay(200);
    fleet.redis.pause();
    await delay(ms);
    fleet.redis.resume();
    await fleet.healed();
    await traffic.stop();
    expect(crashes).toEqual([]);
    return traffic;
  }

  it('for a second, everything arrives afterwards, once and in order', async () => {
    const traffic = await haltFor(1_000);
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.lost).toEqual([]);
  });

  it.each([
    ['than a command may take', 6_000],
    ['than a lease', 30_000],
  ])('for longer %s, senders are answered in time, and nothing arrives twice or late', async (_than, ms) => {
    const traffic = await haltFor(ms);
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBeGreaterThan(100);
    // A command may take 4 s, and longer on a slow machine.
    expect(traffic.slowestReportMs).toBeLessThan(5_900);
    expect(traffic.latestMs).toBeLessThan(5_900);
  });

  it('senders would wait for as long as it halts if commands had no time limit', async () => {
    const tick = vi.spyOn(RedisConnection.prototype, 'tick').mockReturnValue(false);
    onTestFinished(() => tick.mockRestore());
    expect((await haltFor(6_000)).slowestReportMs).toBeGreaterThan(5_500);
  });

  it('no more waits for it than is allowed', async () => {
    const fleet = await Fleet.start({ over: { maxPendingCommands: 200, commandTimeoutMs: 1_000 } });
    const [first, second] = fleet.nodes;
    fleet.redis.pause();
    const reports = await Promise.all(
      Array.from({ length: 1_000 }, () => first!.realtime.publish('feed', { type: 'much' })),
    );
    expect(reports).toEqual(reports.map(() => ({ recipients: 1, nodes: 1, complete: false })));
    fleet.redis.resume();
    await fleet.healed();
    expect(first!.reader.count('much')).toBe(1_000);
    expect(second!.reader.count('much')).toBeLessThanOrEqual(200);
  });
});

describe('When Redis ends the connections for subscriptions', () => {
  it('every subscription is restored, once', async () => {
    const fleet = await Fleet.start();
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await delay(200);
    await fleet.redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.silentMs).toBeLessThan(200);
    expect(await fleet.redis.cli('PUBSUB', 'NUMSUB', 'realtime@0:topic:feed')).toBe('realtime@0:topic:feed\n2');
  });

  it('nobody would be reached if they were not', async () => {
    const fleet = await Fleet.start();
    const restore = vi.spyOn(RedisSubscriptions.prototype, 'restore').mockResolvedValue();
    onTestFinished(() => restore.mockRestore());
    await fleet.redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    await expect(fleet.healed(2_000)).rejects.toThrow('Not healed');
  });
});
