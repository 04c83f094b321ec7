import { expect, it } from 'vitest';
import { DURATIONS, METRICS } from '../../core/metrics/metrics.js';
import { prometheusName } from './prometheus-name.js';

it.each([
  [METRICS.connections, 'realtime_connections'],
  [METRICS.messagesSent, 'realtime_messages_sent_total'],
  [METRICS.bytesSent, 'realtime_bytes_sent_total'],
  [METRICS.sendQueueBytes, 'realtime_send_queue_bytes'],
  [METRICS.busAttached, 'realtime_bus_attached'],
  [METRICS.eventLoopDelay, 'realtime_event_loop_delay_seconds'],
  [DURATIONS.closed, 'realtime_connection_duration_seconds'],
])('%o is %s', (metric, name) => {
  expect(prometheusName(metric)).toBe(name);
});
