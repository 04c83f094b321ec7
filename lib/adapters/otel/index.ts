/**
 * Metrics and traces for OpenTelemetry.
 * @module nestjs-realtime/otel
 */
import 'reflect-metadata';

export { RealtimeOtelModule } from './realtime-otel.module.js';
export type { RealtimeOtelOptions, RealtimeTraceOptions } from './realtime-otel.options.js';
