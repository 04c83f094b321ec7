import type { MetricDescription } from '../../core/metrics/metric.js';

/** The suffix that Prometheus expects for a unit. */
const UNITS: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };

/**
 * The name of a metric in Prometheus: `realtime.messages.sent` becomes `realtime_messages_sent_total`. The unit is a suffix unless
 * the name has it, and counters end in `_total`.
 */
export function prometheusName({ name, kind, unit }: MetricDescription): string {
  const words = name.split(/[._]/);
  const suffix = UNITS[unit];
  if (suffix !== undefined && !words.includes(suffix)) words.push(suffix);
  if (kind === 'counter') words.push('total');
  return words.join('_');
}
