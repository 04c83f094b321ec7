import type { MetricFamily, MetricsListener } from '../core/metrics/metric.js';

/**
 * The holdings and the state of this node, as numbers. Inject it, or use one of the adapters for Prometheus and OpenTelemetry.
 *
 * Counters are always on: plain numbers, without a callback for a message or a recipient. Gauges are read when `read()` is called.
 * Durations are measured only while there is a listener.
 *
 * **Labels** come from closed sets: patterns and message types that the application declares, protocols, and the package's own
 * codes. Everything else, such as a topic that no gateway serves, is `_other`, so clients cannot add a series.
 *
 * **Not promised:** numbers of other nodes; read each node, and add up.
 * @publicApi
 */
export abstract class RealtimeMetrics {
  /**
   * Returns every counter and gauge with its present values, in a fixed order. Durations are not among them. Cheap enough for
   * once a second. The first call starts the measurement of the event-loop delay.
   */
  abstract read(): readonly MetricFamily[];

  /**
   * Passes durations to a listener from now on. A listener that throws is logged and does no harm.
   * @returns stops it
   */
  abstract observe(listener: MetricsListener): () => void;
}
