import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { DurationDescription, Labels, MetricFamily } from '../../core/metrics/metric.js';
import { DURATIONS, METRICS } from '../../core/metrics/metrics.js';
import { RealtimeMetrics } from '../../ports/realtime-metrics.js';
import { DurationHistogram } from './duration-histogram.js';
import { loadPromClient, type PromClient } from './prom-client.js';
import { prometheusName } from './prometheus-name.js';

/** Token for the registry that the application gave; `undefined` means the default one. */
export const REGISTRY = Symbol('the registry of nestjs-realtime/prometheus');

const NO_LABELS: Labels = {};

/** Registers the metrics of this node with `prom-client`. They are read when the registry is scraped. */
@Injectable()
export class PrometheusExporter implements OnModuleInit, OnApplicationShutdown {
  readonly #names: string[] = [];
  #registry: Registry | undefined;
  #stop: (() => void) | undefined;
  /** All families of one scrape, which collects each metric in one turn. */
  #read: ReadonlyMap<string, MetricFamily> | undefined;

  constructor(
    private readonly metrics: RealtimeMetrics,
    @Inject(REGISTRY) private readonly given: Registry | undefined,
  ) {}

  async onModuleInit(): Promise<void> {
    const client = await loadPromClient();
    const registry = (this.#registry = this.given ?? client.register);
    for (const metric of Object.values(METRICS)) this.#register(client, registry, metric);
    this.#stop = this.metrics.observe({
      closed: this.#histogram(registry, DURATIONS.closed),
      handled: this.#histogram(registry, DURATIONS.handled),
      busRoundTrip: this.#histogram(registry, DURATIONS.busRoundTrip),
    });
  }

  /** Removes the metrics, so that an application can start again in the same process. */
  onApplicationShutdown(): void {
    this.#stop?.();
    for (const name of this.#names) this.#registry?.removeSingleMetric(name);
    this.#names.length = 0;
  }

  #register(client: PromClient, registry: Registry, metric: Omit<MetricFamily, 'samples'>): void {
    const name = prometheusName(metric);
    const fill = (target: Counter | Gauge) => {
      target.reset();
      for (const { labels, value } of this.#family(metric.name)?.samples ?? []) target.inc(labels, value);
    };
    const settings = {
      name,
      help: metric.help,
      labelNames: metric.labels,
      registers: [registry],
      collect(this: Counter | Gauge) {
        fill(this);
      },
    };
    void (metric.kind === 'counter' ? new client.Counter(settings) : new client.Gauge(settings));
    // Only now: a name that was taken belongs to another application.
    this.#names.push(name);
  }

  /** Registers a histogram. @returns what observes it */
  #histogram(registry: Registry, duration: DurationDescription): (seconds: number, labels?: Labels) => void {
    const histogram = new DurationHistogram(prometheusName(duration), duration);
    // A registry needs no more of a metric than its name, its values and its reset.
    registry.registerMetric(histogram as unknown as Histogram);
    this.#names.push(histogram.name);
    return (seconds, labels = NO_LABELS) => histogram.observe(seconds, labels);
  }

  #family(name: string): MetricFamily | undefined {
    if (this.#read === undefined) {
      this.#read = new Map(this.metrics.read().map((family) => [family.name, family]));
      queueMicrotask(() => (this.#read = undefined));
    }
    return this.#read.get(name);
  }
}
