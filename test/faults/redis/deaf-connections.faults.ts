import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startRedis } from '../../helpers/redis-server.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

const PROBE_MS = 500;

/**
 * Has a node connect anew for its subscriptions while the way leads to a server where nothing is published: the connection
 * is open and stays open, and so does that for commands, which is where it should be.
 */
async function leadAstray(over: { readonly probeIntervalMs: number }): Promise<Fleet> {
  const fleet = await Fleet.start({ over });
  const elsewhere = await startRedis();
  const { proxy, realtime } = fleet.nodes[0]!;
  proxy.redirect(elsewhere.port);
  proxy.cut('subscribe');
  await expect.poll(() => elsewhere.cli('PUBSUB', 'CHANNELS')).toContain('realtime:user:reader-0');
  await expect.poll(() => realtime.isAttached).toBe(true);
  proxy.redirect(fleet.redis.port);
  return fleet;
}

describe('A node whose connection for subscriptions is open, and on a server where nothing happens', () => {
  it('finds out by itself, and is back', async () => {
    const fleet = await leadAstray({ probeIntervalMs: PROBE_MS });
    const [astray, other] = fleet.nodes;
    await expect
      .poll(async () => (await other!.realtime.sendToUser('reader-0', { type: 'there?' })).recipients, {
        timeout: 2 * PROBE_MS + 1_000,
      })
      .toBe(1);
    await astray!.reader.has('there?');
    await fleet.healed(1_000);
  });

  it('would not be reached for as long as it does not probe', async () => {
    const fleet = await leadAstray({ probeIntervalMs: 600_000 });
    await delay(2 * PROBE_MS + 1_000);
    expect(await fleet.nodes[1]!.realtime.sendToUser('reader-0', { type: 'there?' })).toMatchObject({ recipients: 0 });
  });

  it('finds out when what it publishes does not come back, and says so', async () => {
    const fleet = await leadAstray({ probeIntervalMs: 600_000 });
    expect(await fleet.nodes[0]!.realtime.publish('feed', { type: 'here' })).toMatchObject({ complete: false });
    await fleet.healed(3_000);
  });
});

describe('A node that Redis cuts off because it does not read', () => {
  it('knows that it has missed something, gets nothing twice, and is back', async () => {
    const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub', '1mb', '1mb', '0'] });
    const fleet = await Fleet.start({ redis });
    const [first, second] = fleet.nodes;
    const traffic = new Traffic(fleet);
    second!.proxy.stall('replies');
    const filling = 'x'.repeat(500_000);
    const isCutOff = () => redis.log.includes('overcoming of output buffer limits');
    for (let sent = 0; sent < 100 && !isCutOff(); sent++) {
      await first!.realtime.broadcast({ type: 'filling', payload: filling }, { report: false });
    }
    expect(isCutOff()).toBe(true);
    second!.proxy.pass();
    await fleet.healed(6_000);
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(second!.bus.stats.gaps).toBe(1);
  });
});
