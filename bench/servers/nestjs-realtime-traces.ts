import { context } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter } from '@opentelemetry/sdk-trace-base';
import { RealtimeOtelModule } from 'nestjs-realtime/otel';
import { RealtimePrometheusModule } from 'nestjs-realtime/prometheus';
import { Registry } from 'prom-client';
import { serveRealtime } from './realtime-app.js';

const SCRAPE_MS = 1_000;

/** Takes every span and keeps none. */
class Discarding extends InMemorySpanExporter {
  override export(...[spans, done]: Parameters<InMemorySpanExporter['export']>): void {
    super.export(spans, done);
    this.reset();
  }
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const spanProcessors = [new BatchSpanProcessor(new Discarding())];
const tracerProvider = new BasicTracerProvider({ spanProcessors });
const registry = new Registry();
setInterval(() => void registry.metrics(), SCRAPE_MS).unref();
await serveRealtime(undefined, {}, [
  RealtimePrometheusModule.forRoot({ registry }),
  RealtimeOtelModule.forRoot({ metrics: false, tracerProvider }),
]);
