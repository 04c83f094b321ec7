/**
 * A read-only page for administrators.
 * @module nestjs-realtime/inspector
 */
export { RealtimeInspectorModule } from './inspector.module.js';
export type { RealtimeInspectorOptions, RealtimeInspectorTailOptions } from './inspector-options.js';
