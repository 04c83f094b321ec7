import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RealtimeMetrics } from '../../ports/realtime-metrics.js';
import { RealtimeTracing } from '../../ports/realtime-tracing.js';
import { loadOtelApi } from './otel-api.js';
import { exportMetrics } from './otel-metrics.js';
import { OtelTracer } from './otel-tracer.js';
import type { RealtimeOtelOptions } from './realtime-otel.options.js';

/** Token for the options of `RealtimeOtelModule`. */
export const OTEL_OPTIONS = Symbol('the options of nestjs-realtime/otel');

/** The instrumentation scope of meter and tracer. */
const SCOPE = 'nestjs-realtime';

/** Hands metrics and spans to OpenTelemetry while the application runs. */
@Injectable()
export class OtelExporter implements OnModuleInit, OnApplicationShutdown {
  #stop: (() => void) | undefined;

  constructor(
    private readonly metrics: RealtimeMetrics,
    private readonly tracing: RealtimeTracing,
    @Inject(OTEL_OPTIONS) private readonly options: RealtimeOtelOptions,
  ) {}

  async onModuleInit(): Promise<void> {
    const api = await loadOtelApi();
    const { meterProvider, tracerProvider, metrics = true, trace = true } = this.options;
    if (metrics) this.#stop = exportMetrics((meterProvider ?? api.metrics).getMeter(SCOPE), this.metrics);
    if (trace === false) return;
    const tellsClients = typeof trace === 'object' && trace.frames === true;
    this.tracing.tracer = new OtelTracer(api, (tracerProvider ?? api.trace).getTracer(SCOPE), tellsClients);
  }

  onApplicationShutdown(): void {
    this.#stop?.();
    this.tracing.tracer = undefined;
  }
}
