import type { MeterProvider, TracerProvider } from '@opentelemetry/api';

/**
 * The options of traces.
 * @publicApi
 */
export interface RealtimeTraceOptions {
  /**
   * True: messages to clients carry the context of their publish, as `trace` in the plain protocol and as the tag `traceparent` of
   * a publication for SDKs. Default false: trace ids stay on the servers.
   */
  readonly frames?: boolean;
}

/**
 * Options of `RealtimeOtelModule.forRoot()`.
 * @publicApi
 */
export interface RealtimeOtelOptions {
  /** Default: the global one. Two applications in one process need a provider each: in one, their counters would spoil each other. */
  readonly meterProvider?: MeterProvider;
  /** Default: the global one. */
  readonly tracerProvider?: TracerProvider;
  /** Whether metrics are exported. Default true. */
  readonly metrics?: boolean;
  /** Whether traces are made, and how. Default true. */
  readonly trace?: boolean | RealtimeTraceOptions;
}
