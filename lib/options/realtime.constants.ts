/**
 * Path in the metadata of the package's own gateway, by which {@link RealtimeWsAdapter} recognises it. It is never served:
 * the real path comes from the options of the application.
 */
export const GATEWAY_MARKER = 'nestjs-realtime:gateway';
