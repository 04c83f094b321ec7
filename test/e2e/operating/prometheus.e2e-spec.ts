import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { RealtimePrometheusModule } from 'nestjs-realtime/prometheus';
import { register, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { DURATIONS, METRICS } from '../../../lib/core/metrics/metrics.js';
import { prometheusName } from '../../../lib/adapters/prometheus/prometheus-name.js';
import { startRealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';

@TopicGateway('chat:{room}')
class Chat {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** The lines of a scrape that are samples. */
const samplesIn = async (registry: Registry) =>
  (await registry.metrics()).split('\n').filter((line) => /^\w/.test(line));

function start(registry?: Registry, parts: RealtimeAppParts = {}) {
  return startRealtimeApp({ providers: [Chat], imports: [RealtimePrometheusModule.forRoot({ registry })], ...parts });
}

describe('A scrape by Prometheus', () => {
  it('has every metric, with its kind and its help', async () => {
    const registry = new Registry();
    await start(registry);
    const text = await registry.metrics();
    for (const metric of [...Object.values(METRICS), ...Object.values(DURATIONS)]) {
      const name = prometheusName(metric);
      expect(text).toContain(`# HELP ${name} ${metric.help}\n# TYPE ${name} ${metric.kind}\n`);
    }
  });

  it('has the values of the moment', async () => {
    const registry = new Registry();
    const { connectAs, realtime } = await start(registry);
    const ann = await connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'chat:1' });
    await realtime.publish('chat:1', { type: 'news' });
    await realtime.publish('chat:1', { type: 'news' });
    const lines = await samplesIn(registry);
    expect(lines).toEqual(
      expect.arrayContaining([
        'realtime_connections{protocol="json"} 1',
        'realtime_upgrades_total{status="101"} 1',
        'realtime_subscriptions 1',
        'realtime_messages_sent_total{address="topic",pattern="chat:{room}"} 2',
        'realtime_bus_attached 1',
        'realtime_slow_closes_total 0',
        'realtime_command_duration_seconds_count{action="subscribe",pattern="chat:{room}"} 1',
      ]),
    );
    expect(await samplesIn(registry)).toContain(
      'realtime_messages_sent_total{address="topic",pattern="chat:{room}"} 2',
    );
    await ann.close();
    const ended = 'realtime_connection_duration_seconds_count{protocol="json",close_code="1005"} 1';
    await expect.poll(() => samplesIn(registry)).toContain(ended);
  });

  it('reads the metrics once, however many there are', async () => {
    const registry = new Registry();
    const { app } = await start(registry);
    const { RealtimeMetrics } = await import('nestjs-realtime');
    const metrics = app.get(RealtimeMetrics);
    const read = metrics.read.bind(metrics);
    let reads = 0;
    metrics.read = () => {
      reads += 1;
      return read();
    };
    await registry.metrics();
    await registry.metrics();
    expect(reads).toBe(2);
  });

  it('of the default registry has them while the application runs, and not after its close', async () => {
    const { close } = await start(undefined, { finished: () => undefined });
    const during = await register.metrics();
    await close();
    expect([during.includes('realtime_connections'), (await register.metrics()).includes('realtime_')]).toEqual([
      true,
      false,
    ]);
  });
});

it('A second application in the same registry does not start, and the error names a metric', async () => {
  const registry = new Registry();
  await start(registry);
  await expect(start(registry)).rejects.toThrow('realtime_connections');
});
