import type { DurationDescription, Labels } from '../../core/metrics/metric.js';

/** One line of a scrape, as a registry of `prom-client` reads it. */
export interface ScrapedValue {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What one set of labels was observed with. */
interface Distribution {
  /** For each bucket, how many durations are in it and in no smaller one; those above all buckets come last. */
  readonly counts: number[];
  sum: number;
}

/**
 * A histogram whose durations are counted in plain arrays. That of `prom-client` builds a string of the labels for each duration, which
 * takes 0.36 µs (measured); here a set of labels is found by its object.
 */
export class DurationHistogram {
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #buckets: readonly number[];
  readonly #distributions = new Map<Labels, Distribution>();

  /** @param name in Prometheus */
  constructor(
    readonly name: string,
    { help, buckets }: DurationDescription,
  ) {
    this.help = help;
    this.#buckets = buckets;
  }

  /** Counts a duration. @param labels the same object for the same labels; the histogram keeps it */
  observe(seconds: number, labels: Labels): void {
    let found = this.#distributions.get(labels);
    if (found === undefined) {
      found = { counts: Array.from({ length: this.#buckets.length + 1 }, () => 0), sum: 0 };
      this.#distributions.set(labels, found);
    }
    let bucket = 0;
    while (seconds > this.#buckets[bucket]!) bucket += 1;
    found.counts[bucket]! += 1;
    found.sum += seconds;
  }

  /** Returns what a scrape shows. */
  get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: ScrapedValue[] }> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#distributions].flatMap(([labels, distribution]) => this.#lines(labels, distribution));
    return Promise.resolve({ name, help, type, aggregator, values });
  }

  /** Forgets all durations. */
  reset(): void {
    this.#distributions.clear();
  }

  #lines(labels: Labels, { counts, sum }: Distribution): ScrapedValue[] {
    let count = 0;
    const buckets = [...this.#buckets, '+Inf'].map((le, at) => {
      count += counts[at]!;
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
