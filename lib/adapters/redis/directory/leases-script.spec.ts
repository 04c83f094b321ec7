import { createClient } from '@redis/client';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { startRedis, type RedisServer as RedisProcess } from '../../../../test/helpers/redis-server.js';
import type { RedisClient } from '../connection/redis-connection.js';
import { redisSettingsOf } from '../connection/redis-options.js';
import { RedisServer } from '../connection/redis-server.js';
import { leasesScript } from './leases-script.js';

let redis: RedisProcess;
let server: RedisServer;

beforeEach(async () => {
  collectLogs();
  redis = await startRedis();
  const { url } = redis;
  const create = () => createClient({ url, socket: { reconnectStrategy: false } }) as unknown as RedisClient;
  const events = { restore: () => Promise.resolve(), changed: () => {}, moved: () => {} };
  server = new RedisServer('server', false, create, redisSettingsOf({ url }), events);
  await server.open();
  onTestFinished(() => server.close());
});

/** The time since which no lease can have been lost, in milliseconds before now; -1: it never can. */
async function intactFor(nodeId: string): Promise<number> {
  const reply = await leasesScript.run(server, ['expiries', 'leases'], ['60000', nodeId, 'a lease']);
  return (reply as [number])[0];
}

describe('the leases', () => {
  it('cannot be lost on a server that began empty', async () => {
    expect([await intactFor('a'), await intactFor('b')]).toEqual([-1, -1]);
  });

  it('may be lost up to now after another server has taken over, and not again after that', async () => {
    await intactFor('a');
    await redis.cli('HSET', 'leases', '@since', '-1 another run');
    expect(await intactFor('b')).toBe(0);
    await expect.poll(() => intactFor('c')).toBeGreaterThan(100);
  });

  it('may be lost once on a server that tells nothing of itself, not with every start of a node', async () => {
    await redis.cli('ACL', 'SETUSER', 'default', '-info');
    expect(await intactFor('a')).toBe(0);
    await expect.poll(() => intactFor('b')).toBeGreaterThan(100);
  });

  it('may be lost up to now if they were written by a version that does not tell who keeps them, on a server that has lost data', async () => {
    await redis.cli('FLUSHALL');
    await redis.cli('HSET', 'leases', '@since', '-1');
    expect(await intactFor('a')).toBe(0);
  });
});
