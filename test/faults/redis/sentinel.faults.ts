import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Sentinels } from '../../../lib/adapters/redis/connection/sentinels.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { startSentinelGroup, type SentinelGroup } from '../../helpers/redis-sentinel.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

const FEED = 'realtime@0:topic:feed';

async function start(over = {}): Promise<{ readonly group: SentinelGroup; readonly fleet: Fleet }> {
  const group = await startSentinelGroup();
  const fleet = await Fleet.start({ redis: group.servers[0]!, place: { sentinel: group.place }, over });
  return { group, fleet };
}

/** Resolves with the new master, once the sentinels have agreed on one. */
const successor = (group: SentinelGroup) =>
  vi.waitFor(
    async () => {
      const master = await group.master();
      expect(master).not.toBe(group.servers[0]);
      return master;
    },
    { timeout: 20_000, interval: 20 },
  );

describe('When the master that sentinels watch fails under traffic', () => {
  it.each<[string, (group: SentinelGroup) => Promise<unknown>]>([
    ['crashes', ({ servers }) => servers[0]!.kill()],
    ['is replaced by an operator', ({ sentinels }) => sentinels[0]!.cli('SENTINEL', 'FAILOVER', 'mymaster')],
    [
      'crashes while one sentinel is down',
      async ({ servers, sentinels }) => {
        await sentinels[1]!.kill();
        await servers[0]!.kill();
      },
    ],
  ])(
    'because it %s, all is restored on its successor, and nothing arrives twice, in another order or unsaid',
    async (_why, fail) => {
      const crashes = watchForCrashes();
      const { group, fleet } = await start();
      const traffic = new Traffic(fleet, { from: [0, 1] });
      await fail(group);
      const master = await successor(group);
      await fleet.healed(15_000);
      await traffic.stop();
      expect(traffic.faults).toEqual(NO_FAULTS);
      // An old master that was healthy may have served until just now.
      await expect.poll(() => master.cli('PUBSUB', 'NUMSUB', FEED), { timeout: 15_000 }).toBe(`${FEED}\n2`);
      expect(crashes).toEqual([]);
    },
  );

  it('and comes back as a replica, nobody returns to it', async () => {
    const { group, fleet } = await start();
    const [old] = group.servers;
    await old!.kill();
    await successor(group);
    await group.replaced(old!);
    await old!.restart();
    await vi.waitFor(async () => expect(await old!.cli('ROLE')).toMatch(/^slave/), { timeout: 60_000, interval: 50 });
    await fleet.healed(15_000);
    expect(await old!.cli('PUBSUB', 'NUMSUB', FEED)).toBe(`${FEED}\n0`);
  });
});

describe('When the master that sentinels watch is halted, and its connections stay open', () => {
  /** Far longer than the test lasts: only what the sentinels say can move a node. */
  const PATIENT = { commandTimeoutMs: 60_000, probeIntervalMs: 60_000 };

  async function halt(): Promise<{ readonly listening: () => Promise<string> }> {
    const { group } = await start(PATIENT);
    group.servers[0]!.pause();
    onTestFinished(() => group.servers[0]!.resume());
    const master = await successor(group);
    return { listening: () => master.cli('PUBSUB', 'NUMSUB', FEED) };
  }

  it('its nodes move as soon as the sentinels say so', async () => {
    const { listening } = await halt();
    await expect.poll(listening).toBe(`${FEED}\n2`);
  });

  it('its nodes would wait for the next question if they did not listen to the sentinels', async () => {
    const listen = vi.spyOn(Sentinels.prototype, 'listen').mockReturnValue();
    onTestFinished(() => listen.mockRestore());
    const { listening } = await halt();
    await delay(2_000);
    expect(await listening()).toBe(`${FEED}\n0`);
  });
});
