import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { NodeCoverage } from '../../../lib/adapters/redis/bus/node-coverage.js';
import { Probes } from '../../../lib/adapters/redis/bus/probes.js';
import { startRedis } from '../../helpers/redis-server.js';
import { Fleet } from './fleet.js';
import { startReplica } from './replica.js';
import { NO_FAULTS, Traffic } from './traffic.js';

const PROBE_MS = 500;

/** Has a node's connection for subscriptions stay open, while nothing comes over it any more. That for commands is well. */
async function deafen(over: { readonly probeIntervalMs: number }): Promise<Fleet> {
  const fleet = await Fleet.start({ over });
  fleet.nodes[0]!.proxy.stall(['replies'], 'subscribe');
  return fleet;
}

describe('A node whose connection for subscriptions is open, and silent', () => {
  it('finds out by itself, says so, and is back', async () => {
    const fleet = await deafen({ probeIntervalMs: PROBE_MS });
    const [deaf, other] = fleet.nodes;
    await expect.poll(() => deaf!.realtime.isAttached).toBe(false);
    await expect
      .poll(() => other!.realtime.publish('feed', { type: 'news' }))
      .toEqual({ recipients: 1, nodes: 1, complete: false });
    deaf!.proxy.pass();
    await fleet.healed();
  });

  it('would not find out for as long as it does not probe', async () => {
    const fleet = await deafen({ probeIntervalMs: 600_000 });
    await delay(2 * PROBE_MS + 1_000);
    expect(fleet.nodes[0]!.realtime.isAttached).toBe(true);
  });

  it('finds out when what it publishes does not come back, serves it, and says so', async () => {
    const fleet = await deafen({ probeIntervalMs: 600_000 });
    const [deaf] = fleet.nodes;
    expect(await deaf!.realtime.publish('feed', { type: 'here' })).toMatchObject({ recipients: 1, complete: false });
    await deaf!.reader.has('here');
    await expect.poll(() => deaf!.realtime.isAttached).toBe(false);
    deaf!.proxy.pass();
    await fleet.healed();
  });
});

describe('A node that is led to a replica with its subscriptions, where Redis does not count it', () => {
  async function leadAstray(): Promise<Fleet> {
    const fleet = await Fleet.start();
    const [astray] = fleet.nodes;
    const replica = await startReplica(fleet.redis);
    astray!.proxy.redirect(replica.port);
    astray!.proxy.cut('subscribe');
    return fleet;
  }

  it('is not attached until the way is right again', async () => {
    const fleet = await leadAstray();
    const [astray, other] = fleet.nodes;
    await expect
      .poll(() => other!.realtime.publish('feed', { type: 'news' }))
      .toEqual({ recipients: 1, nodes: 1, complete: false });
    expect(astray!.realtime.isAttached).toBe(false);
    astray!.proxy.redirect(fleet.redis.port);
    await fleet.healed();
  });

  it('would take itself for attached, and others would too, if it did not see whether its subscriptions work', async () => {
    const fence = vi.spyOn(Probes.prototype, 'fence').mockImplementation(async (server) => {
      server.probeReturned();
    });
    // The other node would notice that this one has no subscription there.
    const isNeeded = vi.spyOn(NodeCoverage.prototype, 'isNeeded', 'get').mockReturnValue(false);
    onTestFinished(() => [fence, isNeeded].forEach((spy) => spy.mockRestore()));
    const fleet = await leadAstray();
    const [astray, other] = fleet.nodes;
    await expect.poll(() => astray!.bus.stats.gaps).toBe(1);
    await expect.poll(() => astray!.realtime.isAttached).toBe(true);
    await expect
      .poll(() => other!.realtime.publish('feed', { type: 'news' }))
      .toEqual({ recipients: 1, nodes: 1, complete: true });
  });
});

describe('A node that Redis cuts off because it does not read', () => {
  it('knows that it has missed something, gets nothing twice, and is back', async () => {
    const redis = await startRedis({ args: ['--client-output-buffer-limit', 'pubsub', '1mb', '1mb', '0'] });
    const fleet = await Fleet.start({ redis });
    const [first, second] = fleet.nodes;
    const traffic = new Traffic(fleet);
    second!.proxy.stall(['replies']);
    const filling = 'x'.repeat(500_000);
    const isCutOff = () => redis.log.includes('overcoming of output buffer limits');
    for (let sent = 0; sent < 100 && !isCutOff(); sent++) {
      await first!.realtime.broadcast({ type: 'filling', payload: filling }, { report: false });
    }
    expect(isCutOff()).toBe(true);
    second!.proxy.pass();
    await fleet.healed();
    await traffic.stop();
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(second!.bus.stats.gaps).toBe(1);
  });
});
