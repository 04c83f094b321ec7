import { RealtimeMetrics, user, type HealthCode } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';

async function start() {
  const redis = await startRedis();
  const { app, realtime } = await startRealtimeApp({
    backend: redisBackend({ url: redis.url, probeIntervalMs: 200, commandTimeoutMs: 5_000 }),
  });
  const metrics = app.get(RealtimeMetrics);
  const valueOf = (name: string) => metrics.read().find((family) => family.name === name)?.samples;
  const has = (code: HealthCode) => realtime.health().reasons.some((reason) => reason.code === code);
  return { redis, realtime, metrics, valueOf, has };
}

it('a node whose Redis is away is detached, in its health and its metrics, until it is back', async () => {
  const { redis, realtime, valueOf, has } = await start();
  expect([has('DETACHED'), valueOf('realtime.bus.attached')]).toEqual([false, [{ labels: {}, value: 1 }]]);
  await redis.kill();
  await expect.poll(() => has('DETACHED')).toBe(true);
  const { since } = realtime.health().reasons.find(({ code }) => code === 'DETACHED')!;
  expect(valueOf('realtime.bus.attached')).toEqual([{ labels: {}, value: 0 }]);
  expect(realtime.health().reasons.find(({ code }) => code === 'DETACHED')?.since).toEqual(since);
  await realtime.sendToUser('ann', { type: 'note' });
  expect(valueOf('realtime.reports.incomplete')).toEqual([{ labels: {}, value: 1 }]);
  await redis.restart();
  await expect.poll(() => has('DETACHED')).toBe(false);
});

it('what Redis refuses is in the health and the metrics, by its kind', async () => {
  const { redis, realtime, valueOf, has } = await start();
  expect([has('BUS_REFUSES'), valueOf('realtime.bus.refused')]).toEqual([false, []]);
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
  await realtime.disconnect(user('nobody')).catch(() => undefined);
  await expect.poll(() => has('BUS_REFUSES')).toBe(true);
  const [refused] = valueOf('realtime.bus.refused')!;
  expect([refused?.labels, refused!.value > 0]).toEqual([{ reason: 'OOM' }, true]);
});

it('the round trips of probes go to a listener', async () => {
  const { metrics } = await start();
  const seen: number[] = [];
  metrics.observe({ busRoundTrip: (seconds) => void seen.push(seconds) });
  await expect.poll(() => seen.length).toBeGreaterThan(1);
  expect(seen.every((seconds) => seconds > 0 && seconds < 10)).toBe(true);
});
