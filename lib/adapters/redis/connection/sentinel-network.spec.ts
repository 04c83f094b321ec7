import { createSentinel } from '@redis/client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startSentinelGroup, type SentinelGroup } from '../../../../test/helpers/redis-sentinel.js';
import type { RedisServer } from '../../../../test/helpers/redis-server.js';
import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';
import type { RedisBackendOptions } from './redis-options.js';
import { redisSettingsOf } from './redis-options.js';
import { Sentinels } from './sentinels.js';

const QUICK = { commandTimeoutMs: 1_000, leaseRefreshMs: 200, leaseTtlMs: 1_000 };
const SUBJECT = 'topic:feed';
const WHOLE = { recipients: 2, nodes: 2, complete: true };

const optionsOf = ({ place }: SentinelGroup): RedisBackendOptions => ({ ...QUICK, sentinel: place });

/** Two nodes that have joined a subject. */
async function pair(options: RedisBackendOptions): Promise<[RedisBusNode, RedisBusNode]> {
  const nodes: [RedisBusNode, RedisBusNode] = [await RedisBusNode.start(options), await RedisBusNode.start(options)];
  await Promise.all(nodes.map(async ({ bus }) => bus.join(SUBJECT)));
  return nodes;
}

const whole = ([a, b]: [RedisBusNode, RedisBusNode]) =>
  vi.waitFor(
    async () => {
      expect(await a.publish(SUBJECT)).toEqual(WHOLE);
      expect(await b.publish(SUBJECT)).toEqual(WHOLE);
    },
    { timeout: 20_000, interval: 50 },
  );

describe('a master that sentinels watch', { timeout: 120_000 }, () => {
  it('is asked for at the boot, and serves the nodes', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    await whole(await pair(optionsOf(group)));
  });

  it('that crashes is replaced by the replica that the sentinels promote, and nodes are told that they may have missed something', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    const nodes = await pair(optionsOf(group));
    const missed = nodes.map((node) => node.missed);
    await group.servers[0]!.kill();
    await vi.waitFor(async () => expect(await group.master()).not.toBe(group.servers[0]), {
      timeout: 20_000,
      interval: 50,
    });
    await whole(nodes);
    expect(nodes.map((node, index) => node.missed > missed[index]!)).toEqual([true, true]);
  });

  it('that was replaced and comes back as a replica is left alone', async () => {
    collectLogs();
    // A new master that is busy for a moment is not replaced by the old one.
    const group = await startSentinelGroup({ sentinelConfig: ['sentinel down-after-milliseconds mymaster 3000'] });
    const [old] = group.servers as [(typeof group.servers)[0]];
    const nodes = await pair(optionsOf(group));
    await old.kill();
    await whole(nodes);
    await group.replaced(old);
    await old.restart();
    await vi.waitFor(async () => expect(await old.cli('ROLE')).toMatch(/^slave/), { timeout: 40_000, interval: 100 });
    await whole(nodes);
    expect(await old.cli('PUBSUB', 'NUMSUB', `realtime@0:${SUBJECT}`)).toMatch(/0$/);
  });

  it('is changed by an operator: both connections move at once', async () => {
    const logs = collectLogs();
    const group = await startSentinelGroup();
    const nodes = await pair(optionsOf(group));
    await group.sentinels[0]!.cli('SENTINEL', 'FAILOVER', 'mymaster');
    const moved = () => logs.filter((line) => line.includes('as the master') && line.startsWith('mymaster: '));
    await vi.waitFor(() => expect(moved()).toHaveLength(2), { timeout: 20_000, interval: 20 });
    await whole(nodes);
    const master = await group.master();
    expect(moved()).toEqual(nodes.map(() => `mymaster: the sentinels name 127.0.0.1:${master.port} as the master`));
    expect(await master.cli('PUBSUB', 'NUMSUB', `realtime@0:${SUBJECT}`)).toMatch(/2$/);
  });

  it('is looked at after a failover, too: nodes warn if it acknowledges publications without its replicas', async () => {
    const logs = collectLogs();
    const group = await startSentinelGroup();
    await pair(optionsOf(group));
    const warnings = () => logs.filter((line) => line.includes('min-replicas-to-write is 0'));
    await vi.waitFor(() => expect(warnings()).toHaveLength(2), { timeout: 20_000, interval: 50 });
    await group.sentinels[0]!.cli('SENTINEL', 'FAILOVER', 'mymaster');
    await vi.waitFor(() => expect(warnings()).toHaveLength(4), { timeout: 40_000, interval: 50 });
  });

  it('is found while a minority of the sentinels is down, and the others take over its part', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    await group.sentinels[0]!.kill();
    const nodes = await pair(optionsOf(group));
    await group.servers[0]!.kill();
    await whole(nodes);
  });

  it('is not taken from a sentinel that was halted during the failover and still names the old one', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    const [stale] = group.sentinels as [(typeof group.sentinels)[0]];
    stale.pause();
    await group.servers[0]!.kill();
    await vi.waitFor(
      async () => {
        const [, port] = (await group.sentinels[1]!.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')).split('\n');
        expect(Number(port)).not.toBe(group.servers[0]!.port);
      },
      { timeout: 20_000, interval: 50 },
    );
    stale.resume();
    await whole(await pair(optionsOf(group)));
  });

  /**
   * A sentinel that has missed the failover is the only one left, and has named the old master.
   * @param isForgetful true for the twin: all reports seem to be equally old
   */
  async function misled(isForgetful: boolean) {
    const { master } = Sentinels.prototype;
    const reported: number[] = [];
    const asked = vi.spyOn(Sentinels.prototype, 'master').mockImplementation(async function (this: Sentinels) {
      const report = await master.call(this);
      reported.push(report.address.port);
      return isForgetful ? { ...report, configEpoch: 0 } : report;
    });
    onTestFinished(() => asked.mockRestore());
    const logs = collectLogs();
    const group = await startSentinelGroup();
    const [old] = group.servers as [RedisServer];
    const [first, second, stale] = group.sentinels as [RedisServer, RedisServer, RedisServer];
    const nodes = await pair(optionsOf(group));
    await stale.kill();
    await first.cli('SENTINEL', 'FAILOVER', 'mymaster');
    const moves = () => logs.filter((line) => line.startsWith('mymaster: ') && line.includes('as the master'));
    await vi.waitFor(() => expect(moves()).toHaveLength(nodes.length), { timeout: 20_000, interval: 50 });
    await whole(nodes);
    reported.splice(0);
    logs.splice(0);
    await Promise.all([first.kill(), second.kill()]);
    await stale.restart();
    await vi.waitFor(() => expect(reported).toContain(old.port), { timeout: 20_000, interval: 50 });
    return { nodes, hasMoved: () => moves().some((line) => line.includes(`:${old.port} as the master`)) };
  }

  it('stays though the only sentinel that answers has missed the failover', async () => {
    const { nodes, hasMoved } = await misled(false);
    await whole(nodes);
    expect(hasMoved()).toBe(false);
  });

  it('would be left for the old one if the failover that made it the master were not remembered', async () => {
    const { hasMoved } = await misled(true);
    await vi.waitFor(() => expect(hasMoved()).toBe(true), { timeout: 20_000, interval: 50 });
  });

  it('has users of its own: sentinels and servers take different passwords', async () => {
    collectLogs();
    const group = await startSentinelGroup({
      args: ['--requirepass', 'of-redis', '--masterauth', 'of-redis'],
      sentinelConfig: ['sentinel auth-pass mymaster of-redis', 'requirepass of-sentinels'],
      password: 'of-sentinels',
    });
    const { place } = group;
    const client = { password: 'of-redis' };
    await whole(await pair({ ...QUICK, sentinel: { ...place, client, sentinelClient: { password: 'of-sentinels' } } }));
    await expect(pair({ ...QUICK, sentinel: { ...place, client, sentinelClient: client } })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it('is reached at the address that nodeAddressMap gives', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    const nodeAddressMap = vi.fn((address: { host: string; port: number }) => ({ ...address, host: 'localhost' }));
    await whole(await pair({ ...QUICK, sentinel: { ...group.place, nodeAddressMap } }));
    expect(nodeAddressMap).toHaveBeenCalledWith({ host: '127.0.0.1', port: group.servers[0]!.port });
  });
});

describe('sentinels that know no master of that name', { timeout: 60_000 }, () => {
  it('stop the boot, and the name is said', async () => {
    collectLogs();
    const group = await startSentinelGroup();
    const wrong = pair({ ...QUICK, sentinel: { ...group.place, name: 'othermaster' } });
    await expect(wrong).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('Redis cannot be reached: the sentinels watch no master "othermaster"'),
    });
  });
});

describe('the options of sentinels', () => {
  const nodes = [{ host: 'sentinel-1', port: 26_379 }];

  it.each<[string, object, RegExp]>([
    ['no name', { sentinel: { nodes } }, /sentinel\.name must be the name/],
    ['no nodes', { sentinel: { name: 'm', nodes: [] } }, /sentinel\.nodes must be the sentinels/],
    ['nodes by URL', { sentinel: { name: 'm', nodes: ['redis://s:26379'] } }, /sentinel\.nodes must be/],
    ['an unknown option', { sentinel: { name: 'm', nodes, quorum: 2 } }, /sentinel\.quorum is not an option/],
    [
      'a client',
      { sentinel: { name: 'm', nodes, client: { duplicate: () => ({}) } } },
      /sentinel\.client must be options/,
    ],
    [
      'a client that has an address in its URL',
      { sentinel: { name: 'm', nodes, client: { url: 'redis://one-server' } } },
      /sentinel\.client must be options of createClient\(\) without an address/,
    ],
    [
      'clients of sentinels that have the address of a socket',
      { sentinel: { name: 'm', nodes, sentinelClient: { socket: { path: '/run/sentinel.sock' } } } },
      /sentinel\.sentinelClient must be options of createClient\(\) without an address/,
    ],
    [
      'a url beside them',
      { url: 'redis://localhost', sentinel: { name: 'm', nodes } },
      /sentinel must not be combined/,
    ],
    ['a map that is no function', { sentinel: { name: 'm', nodes, nodeAddressMap: {} } }, /must be a function/],
  ])('are refused with %s', (_what, options, message) => {
    expect(() => redisSettingsOf(options as RedisBackendOptions)).toThrow(message);
    expect(() => redisSettingsOf(options as RedisBackendOptions)).toThrow(RealtimeConfigurationError);
  });

  it('may have TLS, and settings of the socket but its address', () => {
    const client = { socket: { tls: true, keepAlive: false } } as const;
    expect(redisSettingsOf({ sentinel: { name: 'm', nodes, client, sentinelClient: client } }).place.kind).toBe(
      'sentinel',
    );
  });

  it('are wanted in place of a client of createSentinel()', () => {
    const client = createSentinel({ name: 'm', sentinelRootNodes: nodes });
    onTestFinished(() => client.destroy());
    expect(() => redisSettingsOf({ client })).toThrow(/must not come from createSentinel\(\).*give sentinel:/);
  });
});
