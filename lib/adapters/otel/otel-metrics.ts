import type { BatchObservableCallback, Histogram, Meter, Observable } from '@opentelemetry/api';
import type { DurationDescription, Labels, MetricDescription } from '../../core/metrics/metric.js';
import { DURATIONS, METRICS } from '../../core/metrics/metrics.js';
import type { RealtimeMetrics } from '../../ports/realtime-metrics.js';

/**
 * Makes an instrument of OpenTelemetry for every metric. Counters and gauges are read once for each collection; durations go into
 * histograms.
 * @returns stops all of it
 */
export function exportMetrics(meter: Meter, metrics: RealtimeMetrics): () => void {
  const instruments = new Map<string, Observable>(
    Object.values(METRICS).map((metric) => [metric.name, instrumentOf(meter, metric)]),
  );
  const observe: BatchObservableCallback = (result) => {
    for (const { name, samples } of metrics.read()) {
      const instrument = instruments.get(name);
      if (instrument === undefined) continue;
      for (const { labels, value } of samples) result.observe(instrument, value, labels);
    }
  };
  const observed = [...instruments.values()];
  meter.addBatchObservableCallback(observe, observed);
  const stop = metrics.observe({
    closed: recorderOf(histogramOf(meter, DURATIONS.closed)),
    handled: recorderOf(histogramOf(meter, DURATIONS.handled)),
    busRoundTrip: recorderOf(histogramOf(meter, DURATIONS.busRoundTrip)),
  });
  return () => {
    stop();
    meter.removeBatchObservableCallback(observe, observed);
  };
}

function instrumentOf(meter: Meter, { name, kind, unit, help }: MetricDescription): Observable {
  const options = { unit, description: help };
  return kind === 'counter' ? meter.createObservableCounter(name, options) : meter.createObservableGauge(name, options);
}

function histogramOf(meter: Meter, { name, unit, help, buckets }: DurationDescription): Histogram {
  const advice = { explicitBucketBoundaries: [...buckets] };
  return meter.createHistogram(name, { unit, description: help, advice });
}

function recorderOf(histogram: Histogram): (seconds: number, labels?: Labels) => void {
  return (seconds, labels) => histogram.record(seconds, labels);
}
