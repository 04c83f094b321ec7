/**
 * Metrics for Prometheus.
 * @module nestjs-realtime/prometheus
 */
import 'reflect-metadata';

export { RealtimePrometheusModule, type RealtimePrometheusOptions } from './realtime-prometheus.module.js';
