import { Module, type DynamicModule } from '@nestjs/common';
import type { Registry } from 'prom-client';
import { PrometheusExporter, REGISTRY } from './prometheus-exporter.js';

/**
 * Options of `RealtimePrometheusModule.forRoot()`.
 * @publicApi
 */
export interface RealtimePrometheusOptions {
  /** The registry of `prom-client` that gets the metrics. Default: its default registry, `register`. */
  readonly registry?: Registry;
}

/**
 * Registers the metrics of this node with `prom-client` 15, in the registry that your `/metrics` serves. Import it beside
 * `RealtimeModule.forRoot()`.
 *
 * ```ts
 * imports: [RealtimeModule.forRoot({ jwt }), RealtimePrometheusModule.forRoot()]
 * ```
 *
 * The start of the application fails with a `RealtimeConfigurationError` if `prom-client` is not installed, and with the error of
 * `prom-client` if the registry has a metric of the same name: two applications in one process need a registry each.
 * @publicApi
 */
@Module({})
export class RealtimePrometheusModule {
  /** Registers the metrics when the application starts, and removes them when it is closed. */
  static forRoot({ registry }: RealtimePrometheusOptions = {}): DynamicModule {
    return {
      module: RealtimePrometheusModule,
      providers: [{ provide: REGISTRY, useValue: registry }, PrometheusExporter],
    };
  }
}
