import 'reflect-metadata';

export { RealtimeHealthIndicator, type RealtimeHealthIndicatorOptions } from './realtime-health-indicator.js';
