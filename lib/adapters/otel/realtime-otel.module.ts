import { Module, type DynamicModule } from '@nestjs/common';
import { OTEL_OPTIONS, OtelExporter } from './otel-exporter.js';
import type { RealtimeOtelOptions } from './realtime-otel.options.js';

/**
 * Hands the metrics of this node and its traces to OpenTelemetry: to the SDK that your process has set up. Import it beside
 * `RealtimeModule.forRoot()`.
 *
 * ```ts
 * imports: [RealtimeModule.forRoot({ jwt }), RealtimeOtelModule.forRoot()]
 * ```
 *
 * There is one span for each upgrade, each handled command (linked to its upgrade), each publish and each delivery on another node;
 * none for a connection or a recipient.
 *
 * The start of the application fails with a `RealtimeConfigurationError` if `@opentelemetry/api` is not installed.
 * @publicApi
 */
@Module({})
export class RealtimeOtelModule {
  /** Begins when the application starts, and stops when it is closed. */
  static forRoot(options: RealtimeOtelOptions = {}): DynamicModule {
    return { module: RealtimeOtelModule, providers: [{ provide: OTEL_OPTIONS, useValue: options }, OtelExporter] };
  }
}
