import 'reflect-metadata';

export { RealtimePrometheusModule, type RealtimePrometheusOptions } from './realtime-prometheus.module.js';
