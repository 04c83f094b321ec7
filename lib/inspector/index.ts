export { RealtimeInspectorModule } from './inspector.module.js';
export type { RealtimeInspectorOptions, RealtimeInspectorTailOptions } from './inspector-options.js';
