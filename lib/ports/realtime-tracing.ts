/** The subject of a span. */
export interface SpanStart {
  readonly kind: 'upgrade' | 'command' | 'publish' | 'delivery';
  /** The name, from few values: it has patterns and declared types, never topics. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** The parent as `traceparent`. Missing: a publish belongs to the active span, everything else begins a trace. */
  readonly parent?: string | undefined;
  /** Another span that this one has to do with, as `traceparent`. */
  readonly link?: string | undefined;
}

/** A span that has begun. */
export interface RealtimeSpan {
  /** Its context as `traceparent` of W3C Trace Context; missing if nothing is recorded and nothing is to be passed on. */
  readonly traceparent: string | undefined;
  /** Calls a function with this span as the active one. */
  run<T>(work: () => T): T;
  /** Ends it, once. @param attributes what is known only now */
  end(attributes?: Readonly<Record<string, string | number>>): void;
}

/** Makes spans: one for each upgrade, command, publish and remote delivery, never one for a connection or a recipient. */
export interface RealtimeTracer {
  /** True if messages to clients carry the context. */
  readonly tellsClients: boolean;
  start(start: SpanStart): RealtimeSpan;
  /** Marks the span of the command that is being handled as failed. */
  failed(code: string): void;
  /** Binds a function to the span of this package that is active, so that it is the active one wherever the function is called. */
  bind<T>(work: () => T): () => T;
}

/**
 * Holds the tracer, if an adapter such as `nestjs-realtime/otel` has set one. Without a tracer, tracing costs the check of one field
 * for a command, a publish or a delivery.
 */
export class RealtimeTracing {
  tracer: RealtimeTracer | undefined;
}
