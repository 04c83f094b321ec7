/**
 * A health indicator for Terminus.
 * @module nestjs-realtime/terminus
 */
import 'reflect-metadata';

export { RealtimeHealthIndicator, type RealtimeHealthIndicatorOptions } from './realtime-health-indicator.js';
