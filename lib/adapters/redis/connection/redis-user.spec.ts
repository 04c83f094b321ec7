import { beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startRedisCluster } from '../../../../test/helpers/redis-cluster.js';
import { startRedis, type RedisServer } from '../../../../test/helpers/redis-server.js';
import { read } from '../../../../test/package/repository.js';
import type { RedisBackendOptions } from './redis-options.js';

/** The rights that docs/production/redis.md lists for a user of Redis: `realtime`, with the password `secret`. */
const [, RULES = ''] = /^ *ACL SETUSER realtime (.+)$/m.exec(read('docs/production/redis.md')) ?? [];
const USER = { username: 'realtime', password: 'secret' };

const QUICK = { commandTimeoutMs: 1_000, lingerMs: 0, leaseRefreshMs: 100, leaseTtlMs: 500, probeIntervalMs: 100 };

async function serverWith(rules: string): Promise<{ servers: readonly RedisServer[]; options: RedisBackendOptions }> {
  const server = await startRedis();
  await server.cli('ACL', 'SETUSER', USER.username, ...rules.split(' '));
  return { servers: [server], options: { ...QUICK, url: server.url, client: USER } };
}

async function clusterWith(rules: string): Promise<{ servers: readonly RedisServer[]; options: RedisBackendOptions }> {
  const { servers, urls } = await startRedisCluster();
  for (const server of servers) await server.cli('ACL', 'SETUSER', USER.username, ...rules.split(' '));
  const cluster = { rootNodes: urls.map((url) => ({ url })), defaults: USER };
  return { servers, options: { ...QUICK, cluster } };
}

/** Two nodes do everything that nodes do. */
async function useAll(options: RedisBackendOptions): Promise<void> {
  const [a, b] = [await RedisBusNode.start(options), await RedisBusNode.start(options)];
  await Promise.all([a.bus.join('user:ann'), b.bus.join('user:ann')]);
  expect(await a.publish('user:ann')).toEqual({ recipients: 2, nodes: 2, complete: true });
  expect(await a.bus.ask('user:ann', { kind: 'topics', of: 'n.1' })).toEqual([]);
  await vi.waitFor(async () => expect(await a.directory.nodes()).toHaveLength(2), 3_000);
  await a.directory.counts();
  expect(await a.send('user:ann', { kind: 'revalidate' })).toEqual({ recipients: 2, nodes: 2, complete: true });
  const retention = { size: 10, ttlMs: 1_000 };
  for (const offset of [1, 1]) {
    const publish = a.history.publish('chat:1', '{"type":"t"}', retention, { report: true, idempotencyKey: 'k' });
    expect(await publish).toMatchObject({ offset });
  }
  expect((await b.history.read('chat:1', { limit: 10 }, retention)).publications).toHaveLength(1);
  await Promise.all([a, b].map(({ id, presence }) => presence.open({ id, changed: () => undefined })));
  await Promise.all([a.presence.set('chat', { userId: 'ann', connections: 1 }), b.presence.remove('chat', 'ann')]);
  expect(await b.presence.read('chat', 10)).toMatchObject({ userCount: 1 });
  await b.presence.close(0);
  await a.presence.remove('chat', 'ann');
  await a.presence.set('chat', { userId: 'bob', connections: 1 });
  await a.presence.close(0);
  b.bus.leave('user:ann');
  await vi.waitFor(async () => expect(await a.publish('user:ann')).toMatchObject({ recipients: 1, nodes: 1 }), 15_000);
  await b.stop();
}

async function refusals(servers: readonly RedisServer[]): Promise<string> {
  const logs = await Promise.all(servers.map((server) => server.cli('ACL', 'LOG')));
  return logs.join('');
}

beforeEach(() => void collectLogs());

describe('the user of Redis that the documentation makes', () => {
  it('may do all that the backend does', async () => {
    const { servers, options } = await serverWith(RULES);
    await useAll(options);
    expect(await refusals(servers)).toBe('');
  });

  it('may do all that the backend does in a Redis Cluster', { timeout: 60_000 }, async () => {
    const { servers, options } = await clusterWith(RULES);
    await useAll(options);
    expect(await refusals(servers)).toBe('');
  });

  it('may neither read nor hear what others have there', async () => {
    const { servers } = await serverWith(RULES);
    const as = ['--no-auth-warning', '--user', USER.username, '--pass', USER.password];
    for (const command of [
      'HGETALL other',
      'SUBSCRIBE other',
      'PUBLISH other x',
      'FLUSHALL',
      'CONFIG GET *',
      'KEYS *',
    ]) {
      await expect(servers[0]!.cli(...as, ...command.split(' ')), command).rejects.toThrow('NOPERM');
    }
  });

  it('could do nothing without the right to publish and to listen', async () => {
    const { servers, options } = await serverWith(RULES.replace(' +@pubsub', ''));
    await expect(RedisBusNode.start(options)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await refusals(servers)).toContain('subscribe');
  });
});
