import { redisBackend } from 'nestjs-realtime/redis';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';
import { startTcpProxy } from '../../helpers/tcp-proxy.js';

/** Resources that keep a process running. */
const resources = () => process.getActiveResourcesInfo().filter((name) => /TCP|Timeout/.test(name)).length;

describe('A node that starts while Redis is away', () => {
  it('fails at once, says what to do, and leaves nothing behind', async () => {
    const redis = await startRedis();
    await redis.kill();
    const before = resources();
    const start = performance.now();
    await expect(
      startRealtimeApp({ backend: redisBackend({ url: redis.url, commandTimeoutMs: 60_000 }) }),
    ).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('Redis'),
    });
    // It does not wait for as long as a command may take.
    expect(performance.now() - start).toBeLessThan(20_000);
    await expect.poll(resources).toBeLessThanOrEqual(before);
  });

  it('fails in time when Redis takes its connection and says nothing', async () => {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.port);
    proxy.stall();
    const start = performance.now();
    const url = `redis://127.0.0.1:${proxy.port}`;
    await expect(startRealtimeApp({ backend: redisBackend({ url, commandTimeoutMs: 500 }) })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('starts all the same where that is wanted, asks clients to come later, and serves when Redis is there', async () => {
    const redis = await startRedis();
    await redis.kill();
    const backend = redisBackend({
      url: redis.url,
      requireAtBoot: false,
      commandTimeoutMs: 500,
      // Reports are complete soon after Redis has started.
      leaseRefreshMs: 200,
      leaseTtlMs: 1_000,
    });
    const app = await startRealtimeApp({ backend });
    expect(app.realtime.isAttached).toBe(false);
    const early = await app.connect({ token: testToken('early') });
    expect(await early.nextClose()).toMatchObject({ code: 3004 });
    await redis.restart();
    await expect.poll(() => app.realtime.isAttached).toBe(true);
    const ann = await app.connectAs('ann');
    await expect
      .poll(() => app.realtime.sendToUser('ann', { type: 'hello' }))
      .toEqual({ recipients: 1, nodes: 1, complete: true });
    await ann.next('hello');
  });
});
