import type { Context, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { isTraceparent } from '../../core/base/traceparent.js';
import type { RealtimeSpan, RealtimeTracer, SpanStart } from '../../ports/realtime-tracing.js';
import type { OtelApi } from './otel-api.js';

/** Makes the spans of OpenTelemetry. */
export class OtelTracer implements RealtimeTracer {
  readonly #kinds: Readonly<Record<SpanStart['kind'], number>>;
  /** Under this key a context has the span of this package that is active. */
  readonly #key: symbol;

  constructor(
    private readonly api: OtelApi,
    private readonly tracer: Tracer,
    readonly tellsClients: boolean,
  ) {
    const { SpanKind, createContextKey } = api;
    const { SERVER, PRODUCER, CONSUMER } = SpanKind;
    this.#kinds = { upgrade: SERVER, command: SERVER, publish: PRODUCER, delivery: CONSUMER };
    this.#key = createContextKey('nestjs-realtime span');
  }

  start({ kind, name, attributes, parent, link }: SpanStart): RealtimeSpan {
    const { context, trace, ROOT_CONTEXT } = this.api;
    const linked = spanContextOf(link);
    const from = spanContextOf(parent);
    const base = kind === 'publish' ? context.active() : ROOT_CONTEXT;
    const options = { kind: this.#kinds[kind], attributes, ...(linked && { links: [{ context: linked }] }) };
    const span = this.tracer.startSpan(name, options, from ? trace.setSpanContext(base, from) : base);
    return {
      traceparent: traceparentOf(span.spanContext()),
      run: (work) => context.with(this.#with(context.active(), span), work),
      end: (more) => {
        if (more) span.setAttributes(more);
        if (more?.['error.type'] !== undefined) span.setStatus({ code: this.api.SpanStatusCode.ERROR });
        span.end();
      },
    };
  }

  failed(code: string): void {
    const span = this.#active;
    span?.setAttribute('error.type', code);
    span?.setStatus({ code: this.api.SpanStatusCode.ERROR, message: code });
  }

  bind<T>(work: () => T): () => T {
    const span = this.#active;
    const { context } = this.api;
    return span === undefined ? work : () => context.with(this.#with(context.active(), span), work);
  }

  get #active(): Span | undefined {
    return this.api.context.active().getValue(this.#key) as Span | undefined;
  }

  #with(context: Context, span: Span): Context {
    return this.api.trace.setSpan(context, span).setValue(this.#key, span);
  }
}

function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string | undefined {
  const text = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  // Without an SDK all ids are zeros.
  return isTraceparent(text) ? text : undefined;
}

function spanContextOf(traceparent: string | undefined): SpanContext | undefined {
  if (!isTraceparent(traceparent)) return undefined;
  const [, traceId, spanId, flags] = traceparent.split('-') as [string, string, string, string];
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}
