import { topic } from 'nestjs-realtime';
import { RealtimePrometheusModule } from 'nestjs-realtime/prometheus';
import { redisBackend } from 'nestjs-realtime/redis';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';

it('a scrape of each of two nodes tells what that node holds and has sent, whoever has published', async () => {
  const redis = await startRedis();
  const start = async () => {
    const registry = new Registry();
    const backend = redisBackend({ url: redis.url, probeIntervalMs: 200 });
    const imports = [RealtimePrometheusModule.forRoot({ registry })];
    const scrape = async () => (await registry.metrics()).split('\n');
    return { ...(await startRealtimeApp({ backend, imports })), scrape };
  };
  const [a, b] = [await start(), await start()];
  const [ann, bob, cid] = [await a.connectAs('ann'), await b.connectAs('bob'), await b.connectAs('cid')];
  for (const { id } of [ann, bob, cid]) await a.realtime.subscribe(id, 'news');
  await a.realtime.to(topic('news')).send({ type: 'note' });
  for (const each of [ann, bob, cid]) await each.next('note');
  const [onA, onB] = [await a.scrape(), await b.scrape()];
  expect(onA).toContain('realtime_connections{protocol="json"} 1');
  expect(onA).toContain('realtime_messages_sent_total{address="topic",pattern="_other"} 1');
  expect(onB).toContain('realtime_connections{protocol="json"} 2');
  expect(onB).toContain('realtime_messages_sent_total{address="topic",pattern="_other"} 2');
  expect([onA, onB].map((lines) => lines.includes('realtime_bus_attached 1'))).toEqual([true, true]);
  for (const node of [a, b]) {
    await expect
      .poll(async () => (await node.scrape()).find((line) => line.startsWith('realtime_bus_round_trip_seconds_count')))
      .toMatch(/ [1-9]\d*$/);
  }
});
