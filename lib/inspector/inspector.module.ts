import { Inject, Module, Optional, type DynamicModule } from '@nestjs/common';
import { FleetInspection } from '../delivery/fleet-inspection.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { inspectorSettingsOf, type RealtimeInspectorOptions } from './inspector-options.js';
import { inspectorController } from './inspector.controller.js';

/**
 * Serves a read-only page that shows all nodes, what they hold and how they fare, and why clients were closed and refused.
 * Import it beside `RealtimeModule`, on one node or on all.
 *
 * ```ts
 * RealtimeInspectorModule.forRoot({ guard: AdminGuard })
 * ```
 *
 * Nodes are asked over the bus, every two seconds for each page that somebody looks at, and not otherwise. It works on Express and
 * Fastify.
 * @publicApi
 */
@Module({})
export class RealtimeInspectorModule {
  /** @internal */
  constructor(@Optional() @Inject(FleetInspection) fleet?: FleetInspection) {
    if (fleet) return;
    throw new RealtimeConfigurationError(
      'RealtimeInspectorModule shows what RealtimeModule holds, and finds none. Import RealtimeInspectorModule.forRoot({ guard }) ' +
        'beside RealtimeModule.forRoot({ … }); where that is not global, give the same module in imports.',
    );
  }

  /**
   * Configures the page.
   * @throws RealtimeConfigurationError if an option is invalid, or `guard` is missing
   */
  static forRoot(options: RealtimeInspectorOptions): DynamicModule {
    const settings = inspectorSettingsOf(options);
    return {
      module: RealtimeInspectorModule,
      imports: options.imports ?? [],
      controllers: [inspectorController(settings)],
    };
  }
}
