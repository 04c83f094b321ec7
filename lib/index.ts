/**
 * The module, the service, the decorators and guards, and their types.
 * @module nestjs-realtime
 */
import 'reflect-metadata';

export { RealtimeModule } from './realtime.module.js';
export type {
  RealtimeModuleAsyncOptions,
  RealtimeModuleExtras,
  RealtimeModuleOptions,
  RealtimeOptionsFactory,
} from './realtime.module-definition.js';
export type {
  RealtimeCentrifugeOptions,
  RealtimeCompressionOptions,
  RealtimeDrainOptions,
  RealtimeHeartbeatOptions,
  RealtimeLimits,
  RealtimeOptions,
  RealtimePersonalTopicsOptions,
  RealtimePresenceOptions,
  RealtimeTokenOptions,
} from './options/realtime.options.js';
export {
  RealtimeService,
  type DisconnectOptions,
  type RealtimeCounts,
  type RightsInput,
  type PublishOptions,
  type UnsubscribeOptions,
  type UpdateMetadataOptions,
} from './realtime.service.js';
export { Recipients, type SendOptions } from './delivery/recipients.js';

export { all, connection, role, topic, user, type Address } from './core/routing/address.js';
export type { Identity, IdentityInput, JwtClaims } from './core/identity/claims.js';
export type { CancelReason } from './core/protocol/cancel-reason.js';
export { CLOSE_CODES, type CloseCodeName } from './core/protocol/close-code.js';
export type { Metadata } from './core/identity/metadata-patch.js';
export type { RealtimeConnection, RealtimeConnectionState } from './core/connection/connection.js';
export type { DeliveryReport } from './core/routing/delivery-report.js';
export { ERROR_CODES, type ErrorCode } from './core/protocol/error-code.js';
export type { HistoryOptions, TopicHistory } from './core/history/history-options.js';
export type { TopicStreamOptions } from './core/history/stream-options.js';
export type { StreamOutcome, TopicStream } from './delivery/published-stream.js';
export type { RealtimeMessage } from './core/message/message.js';
export type { MessageInput, RealtimeMessages } from './core/message/message-types.js';
export type { RealtimeEvent } from './core/connection/realtime-event.js';
export type { Requirements } from './core/identity/authorization.js';

export { MessageBody } from '@nestjs/websockets';
export {
  TopicGateway,
  type TopicDeliveryOptions,
  type TopicGatewayOptions,
  type TopicHistoryOptions,
  type TopicLimitsOptions,
} from './decorators/topic-gateway.decorator.js';
export { OnConnect } from './decorators/on-connect.decorator.js';
export { OnDisconnect } from './decorators/on-disconnect.decorator.js';
export { OnJoin } from './decorators/on-join.decorator.js';
export { OnLeave } from './decorators/on-leave.decorator.js';
export { OnPresenceUpdate } from './decorators/on-presence-update.decorator.js';
export { OnMessage, type OnMessageOptions } from './decorators/on-message.decorator.js';
export { OnSubscribe } from './decorators/on-subscribe.decorator.js';
export { OnUnsubscribe } from './decorators/on-unsubscribe.decorator.js';
export { CancelSignal } from './decorators/cancel-signal.decorator.js';
export { allow, type AllowOptions, type SubscriptionPermit } from './decorators/subscription-permit.js';
export { CurrentConnection } from './decorators/current-connection.decorator.js';
export { TopicName } from './decorators/topic-name.decorator.js';
export { TopicParam } from './decorators/topic-param.decorator.js';
export { RequirePermissions } from './guards/require-permissions.decorator.js';
export { RequireRoles } from './guards/require-roles.decorator.js';
export { CurrentUser } from './guards/current-user.decorator.js';
export { RealtimeAuthGuard } from './guards/realtime-auth.guard.js';
export type { RealtimeUser } from './guards/realtime-user.js';
export { realtimeContextOf, type HandlerEvent, type RealtimeContext } from './decorators/realtime-context.js';

export { RealtimeError, type RealtimeErrorOptions } from './errors/realtime.error.js';
export { RealtimeArgumentError } from './errors/realtime-argument.error.js';
export { RealtimeCancelledError } from './errors/realtime-cancelled.error.js';
export { RealtimeConfigurationError } from './errors/realtime-configuration.error.js';

export { Authenticator, type Authenticated, type AuthenticateOptions } from './ports/authenticator.js';
export type { RealtimeBackend } from './ports/backend.js';
export type { ConnectInfo } from './ports/connect-info.js';
export { JwtVerifier } from './ports/jwt-verifier.js';
export { RealtimeMetrics } from './ports/realtime-metrics.js';
export {
  HEALTH_REASONS,
  type HealthCode,
  type HealthReason,
  type HealthStatus,
  type RealtimeHealth,
} from './core/metrics/health.js';
export type { Labels, MetricDescription, MetricFamily, MetricSample, MetricsListener } from './core/metrics/metric.js';
export type { NodeCounts, NodeInfo } from './core/bus/node-info.js';
export type { Presence, PresenceChange, PresenceCounts, PresenceMember } from './core/presence/presence.js';

export { inMemoryBackend } from './adapters/in-memory/in-memory-backend.js';
export type { JwtAlgorithm } from './adapters/jwt/jwt-algorithm.js';
export type { RealtimeJwtOptions } from './adapters/jwt/jwt-options.js';
