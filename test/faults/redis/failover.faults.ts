import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisNetwork } from '../../../lib/adapters/redis/connection/redis-network.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { Fleet } from './fleet.js';
import { startReplica } from './replica.js';
import { NO_FAULTS, Traffic } from './traffic.js';

const FEED = 'realtime@0:topic:feed';

describe('When the master is killed and its replica takes over', () => {
  it('all is restored there, and nothing arrives twice, in another order or unsaid', async () => {
    const crashes = watchForCrashes();
    const fleet = await Fleet.start();
    const replica = await startReplica(fleet.redis);
    const traffic = new Traffic(fleet, { from: [0, 1] });
    await delay(200);
    await fleet.redis.kill();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    for (const { proxy } of fleet.nodes) proxy.redirect(replica.port);
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.silentMs).toBeLessThan(200);
    expect(await replica.cli('PUBSUB', 'NUMSUB', FEED)).toBe(`${FEED}\n2`);
    expect(crashes).toEqual([]);
  });
});

describe('When a node is led to a replica that is not promoted yet', () => {
  it.each([
    ['which reads only', []],
    ['which has lost its master and serves nothing', ['--replica-serve-stale-data', 'no']],
  ])('%s, it is back as soon as that is the master', async (_what, args) => {
    const crashes = watchForCrashes();
    // The leases outlive the outage, so that clients stay.
    const fleet = await Fleet.start({ over: { leaseRefreshMs: 200, leaseTtlMs: 20_000 } });
    const replica = await startReplica(fleet.redis, args);
    await fleet.redis.kill();
    for (const { proxy } of fleet.nodes) proxy.redirect(replica.port);
    await delay(1_000);
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await fleet.healed();
    for (const { realtime } of fleet.nodes) {
      await expect.poll(async () => (await realtime.nodes()).length).toBe(2);
    }
    expect(crashes).toEqual([]);
  });
});

describe('When the master becomes a replica of another one, and its connections stay open', () => {
  /** @returns how many nodes listen to the new master */
  async function demote(): Promise<{ readonly fleet: Fleet; readonly listening: () => Promise<number> }> {
    const fleet = await Fleet.start({ over: { leaseRefreshMs: 200, leaseTtlMs: 1_000 } });
    const successor = await startReplica(fleet.redis);
    for (const { proxy } of fleet.nodes) proxy.redirect(successor.port);
    await successor.cli('REPLICAOF', 'NO', 'ONE');
    await fleet.redis.cli('REPLICAOF', '127.0.0.1', successor.port);
    const listening = async () => Number((await successor.cli('PUBSUB', 'NUMSUB', FEED)).split('\n')[1]);
    return { fleet, listening };
  }

  it('its nodes go to the new one', async () => {
    const { fleet, listening } = await demote();
    await expect.poll(listening).toBe(fleet.nodes.length);
    await fleet.healed();
  });

  it('its nodes would stay if they did not mind that it only reads', async () => {
    const mistrust = vi.spyOn(RedisNetwork.prototype, 'mistrust').mockReturnValue();
    onTestFinished(() => mistrust.mockRestore());
    const { listening } = await demote();
    await delay(2_000);
    expect(await listening()).toBe(0);
  });
});
