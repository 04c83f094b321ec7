import { Inject, Module, Optional, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule, ModulesContainer } from '@nestjs/core';
import { BusAttachment } from './delivery/bus-attachment.js';
import { ConnectionEvents } from './delivery/connection-events.js';
import { EnvelopeRouter } from './delivery/envelope-router.js';
import { EventLoopDelay } from './delivery/event-loop-delay.js';
import { FleetInspection } from './delivery/fleet-inspection.js';
import { FurtherServers } from './delivery/further-servers.js';
import { LocalDelivery } from './delivery/local-delivery.js';
import { LocalQuery } from './delivery/local-query.js';
import { LocalPresence } from './delivery/local-presence.js';
import { Membership } from './delivery/membership.js';
import { NodeDrain } from './delivery/node-drain.js';
import { NodeHealth } from './delivery/node-health.js';
import { NodeIdentity } from './delivery/node-identity.js';
import { NodeInspection } from './delivery/node-inspection.js';
import { NodeLifecycle } from './delivery/node-lifecycle.js';
import { NodeMeter } from './delivery/node-meter.js';
import { NodeMetrics } from './delivery/node-metrics.js';
import { PendingSubscribers } from './delivery/pending-subscribers.js';
import { PresencePictures } from './delivery/presence-pictures.js';
import { PresenceWatchers } from './delivery/presence-watchers.js';
import { PublishedStreams, StreamRules } from './delivery/published-streams.js';
import { TopicPolicies } from './delivery/topic-policies.js';
import { TopicStreams } from './delivery/topic-streams.js';
import { RealtimeConfigurationError } from './errors/realtime-configuration.error.js';
import { AuthCommands } from './gateway/auth/auth-commands.js';
import { Handshake } from './gateway/auth/handshake.js';
import { PresenceHooks } from './gateway/session/presence-hooks.js';
import { RealtimeGateway } from './gateway/realtime.gateway.js';
import { ServedCodecs } from './gateway/served-codecs.js';
import { SessionServices } from './gateway/session/session-services.js';
import { TopicPresence } from './gateway/session/topic-presence.js';
import { TopicTokens } from './gateway/auth/topic-tokens.js';
import { UpgradeAdmission } from './gateway/upgrade/upgrade-admission.js';
import { ProxyTrust } from './gateway/upgrade/proxy-trust.js';
import { UpgradeHandler } from './gateway/upgrade/upgrade-handler.js';
import { UpgradeListener } from './gateway/upgrade/upgrade-listener.js';
import { RealtimeAuthGuard } from './guards/realtime-auth.guard.js';
import { GatewayTopicLabels } from './handlers/gateway-topic-labels.js';
import { GatewayTopicPolicies } from './handlers/gateway-topic-policies.js';
import { HandlerExplorer } from './handlers/handler.explorer.js';
import { PresenceInfoLimit } from './handlers/presence-info-limit.js';
import { TopicHandlerRegistry } from './handlers/topic-handler.registry.js';
import { HANDLER_PROVIDERS } from './handlers/handler.providers.js';
import { textOfTold } from './handlers/wire-error.js';
import { Authenticator } from './ports/authenticator.js';
import { ClientAddresses } from './ports/client-addresses.js';
import { Clock } from './ports/clock.js';
import { ConnectionRegistry } from './ports/connection-registry.js';
import { HealthSource } from './ports/health-source.js';
import { HistoryStore } from './ports/history-store.js';
import { IdGenerator } from './ports/id-generator.js';
import { JwtVerifier } from './ports/jwt-verifier.js';
import { MessageBus } from './ports/message-bus.js';
import { NodeDirectory } from './ports/node-directory.js';
import { PresenceStore } from './ports/presence-store.js';
import { PubSubManager } from './ports/pub-sub-manager.js';
import { RealtimeTracing } from './ports/realtime-tracing.js';
import { RealtimeMetrics } from './ports/realtime-metrics.js';
import {
  ConfigurableModuleClass,
  type RealtimeModuleAsyncOptions,
  type RealtimeModuleOptions,
} from './realtime.module-definition.js';
import { RealtimeSettings } from './options/realtime.options.js';
import { PORT_PROVIDERS } from './realtime.providers.js';
import { RealtimeService } from './realtime.service.js';

/**
 * Realtime messages for a Nest application. Import it once, as `RealtimeModule.forRoot(options)`.
 * @publicApi
 */
@Module({})
export class RealtimeModule extends ConfigurableModuleClass implements OnModuleInit {
  /** @internal */
  constructor(
    modules: ModulesContainer,
    @Optional() @Inject(HandlerExplorer) private readonly explorer?: HandlerExplorer,
    @Optional() @Inject(NodeLifecycle) private readonly lifecycle?: NodeLifecycle,
  ) {
    super();
    if (!explorer) {
      throw new RealtimeConfigurationError(
        'RealtimeModule was imported without forRoot(). Import RealtimeModule.forRoot({ … }) once, in the root module; it is global.',
      );
    }
    const count = [...modules.values()].filter(({ metatype }) => metatype === RealtimeModule).length;
    if (count > 1) {
      throw new RealtimeConfigurationError(
        `RealtimeModule.forRoot() was called ${count} times in this application. Call it once, in the root module; its ` +
          'exports can be injected everywhere.',
      );
    }
  }

  /** @internal */
  onModuleInit(): void {
    this.explorer?.explore();
    // The providers' own hooks have run by now: this node is on the bus.
    this.lifecycle?.started();
  }

  /**
   * Configures the module with options given directly.
   * @param options the options, and `backend`, `providers`, `imports`, `isGlobal`
   * @throws RealtimeConfigurationError that names each invalid option, when the application is created
   */
  static override forRoot(options: RealtimeModuleOptions): DynamicModule {
    return complete(super.forRoot(options));
  }

  /**
   * Configures the module with options that are computed with injected providers, such as a `ConfigService`.
   * @param options the source of the options: `useFactory` (with `inject`), `useClass` or `useExisting` (a class with
   *   `createRealtimeOptions()`); and `backend`, `providers`, `imports`, `isGlobal` directly
   * @throws RealtimeConfigurationError that names each invalid option, when the application is created
   */
  static override forRootAsync(options: RealtimeModuleAsyncOptions): DynamicModule {
    return complete(super.forRootAsync(options));
  }
}

/** Puts the providers of the package first, so that those of the application override them. */
function complete(definition: DynamicModule): DynamicModule {
  return {
    ...definition,
    imports: [DiscoveryModule, ...(definition.imports ?? [])],
    providers: [
      ...PORT_PROVIDERS,
      NodeIdentity,
      NodeDrain,
      NodeLifecycle,
      {
        provide: NodeMeter,
        inject: [TopicHandlerRegistry, Clock],
        useFactory: (topics: TopicHandlerRegistry, clock: Clock) =>
          new NodeMeter(new GatewayTopicLabels(topics), () => clock.now()),
      },
      { provide: EventLoopDelay, useFactory: () => new EventLoopDelay() },
      RealtimeTracing,
      NodeMetrics,
      NodeHealth,
      { provide: HealthSource, useExisting: NodeHealth },
      NodeInspection,
      FleetInspection,
      { provide: RealtimeMetrics, useExisting: NodeMetrics },
      FurtherServers,
      ConnectionEvents,
      PresenceWatchers,
      LocalDelivery,
      {
        provide: PresencePictures,
        inject: [PresenceWatchers, LocalDelivery, PresenceStore, RealtimeSettings],
        useFactory: (
          watchers: PresenceWatchers,
          delivery: LocalDelivery,
          store: PresenceStore,
          { presence }: RealtimeSettings,
        ) => new PresencePictures(watchers, delivery, store, presence.coalesceMs),
      },
      LocalQuery,
      Membership,
      {
        provide: LocalPresence,
        inject: [PresenceStore, RealtimeSettings],
        useFactory: (store: PresenceStore, { presence }: RealtimeSettings) =>
          new LocalPresence(store, presence.graceMs),
      },
      TopicStreams,
      {
        provide: StreamRules,
        inject: [RealtimeSettings],
        useFactory: ({ drain }: RealtimeSettings) => new StreamRules(drain.timeoutMs, textOfTold),
      },
      PublishedStreams,
      PendingSubscribers,
      EnvelopeRouter,
      {
        provide: TopicPolicies,
        inject: [TopicHandlerRegistry, RealtimeSettings],
        useFactory: (topics: TopicHandlerRegistry, { personalTopics }: RealtimeSettings): TopicPolicies =>
          new GatewayTopicPolicies(topics, personalTopics),
      },
      BusAttachment,
      ...HANDLER_PROVIDERS,
      {
        provide: PresenceInfoLimit,
        inject: [RealtimeSettings],
        useFactory: ({ limits }: RealtimeSettings) => new PresenceInfoLimit(limits.maxPresenceInfoBytes),
      },
      {
        provide: ClientAddresses,
        inject: [RealtimeSettings],
        useFactory: ({ trustProxy }: RealtimeSettings) => new ProxyTrust(trustProxy),
      },
      Handshake,
      AuthCommands,
      TopicPresence,
      PresenceHooks,
      TopicTokens,
      SessionServices,
      ServedCodecs,
      RealtimeGateway,
      UpgradeAdmission,
      UpgradeHandler,
      UpgradeListener,
      RealtimeService,
      RealtimeAuthGuard,
      ...(definition.providers ?? []),
    ],
    exports: [
      RealtimeService,
      RealtimeAuthGuard,
      Authenticator,
      ClientAddresses,
      JwtVerifier,
      ConnectionRegistry,
      PubSubManager,
      MessageBus,
      NodeDirectory,
      HistoryStore,
      PresenceStore,
      RealtimeMetrics,
      HealthSource,
      FleetInspection,
      RealtimeTracing,
      Clock,
      IdGenerator,
    ],
  };
}
