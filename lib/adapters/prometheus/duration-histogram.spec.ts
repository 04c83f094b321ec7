import { AggregatorRegistry, Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { DURATIONS } from '../../core/metrics/metrics.js';
import { DurationHistogram } from './duration-histogram.js';

const { handled } = DURATIONS;
const SUBSCRIBE = { action: 'subscribe', pattern: 'order:{id}' };
const PING = { action: 'ping' };
const SECONDS = [0, handled.buckets[0]!, 0.0123, 0.4, 10_000];

/** What a registry with a histogram of ours writes, and with one of `prom-client` that observed the same. */
async function scrapes(
  change: (registry: Registry) => void = () => undefined,
): Promise<[ours: string, theirs: string]> {
  const [own, other] = [new Registry(), new Registry()];
  const ours = new DurationHistogram('x_seconds', handled);
  const { help, labels: labelNames, buckets } = handled;
  const theirs = new Histogram({ name: 'x_seconds', help, labelNames, buckets: [...buckets], registers: [other] });
  own.registerMetric(ours as unknown as Histogram);
  for (const labels of [SUBSCRIBE, PING]) {
    for (const seconds of SECONDS) {
      ours.observe(seconds, labels);
      theirs.observe(labels, seconds);
    }
  }
  change(own);
  change(other);
  return [await own.metrics(), await other.metrics()];
}

const sorted = (text: string) =>
  text
    .split('\n')
    .map((line) => line.replace(/\{(.*)\}/, inOrder))
    .toSorted();
const inOrder = (_all: string, labels: string) => `{${labels.split(',').toSorted().join(',')}}`;

describe('A histogram of durations', () => {
  it('is scraped like that of prom-client', async () => {
    const [ours, theirs] = await scrapes();
    expect(sorted(ours)).toEqual(sorted(theirs));
    expect(ours).toContain('x_seconds_bucket{le="+Inf",action="ping"} 5');
  });

  it('gets the default labels of the registry', async () => {
    const [ours, theirs] = await scrapes((registry) => registry.setDefaultLabels({ app: 'shop' }));
    expect(sorted(ours)).toEqual(sorted(theirs));
  });

  it('is emptied with the metrics of its registry', async () => {
    const [ours] = await scrapes((registry) => registry.resetMetrics());
    expect(ours).not.toContain('x_seconds_count');
  });

  it('is given out as JSON, which cluster workers add up', async () => {
    const registry = new Registry();
    const histogram = new DurationHistogram('x_seconds', handled);
    registry.registerMetric(histogram as unknown as Histogram);
    histogram.observe(0.4, PING);
    const [json] = await registry.getMetricsAsJSON();
    expect(json).toMatchObject({ name: 'x_seconds', type: 'histogram', aggregator: 'sum' });
    const merged = await AggregatorRegistry.aggregate([
      await registry.getMetricsAsJSON(),
      await registry.getMetricsAsJSON(),
    ]).metrics();
    expect(merged).toContain('x_seconds_count{action="ping"} 2');
  });
});
