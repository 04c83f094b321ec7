/**
 * Decisions without Nest: addresses, topics, codes and frames, as functions of values.
 * @module nestjs-realtime/core
 */
// Identity and authorization
export { explainClaims, explainIdentity, identityFromClaims, isClaims, isExpired } from './identity/claims.js';
export type { Identity, JwtClaims } from './identity/claims.js';
export type { ClaimsRefusal } from './identity/expected-claims.js';
export {
  authError,
  authorize,
  hasAllPermissions,
  hasAllRoles,
  hasAnyPermission,
  hasAnyRole,
  hasPermission,
  hasRole,
} from './identity/authorization.js';
export type { AuthError, Authorization, Refusal, Requirements, Principal } from './identity/authorization.js';

// Upgrade requests: query parameters, token, origin
export { parseQuery } from './base/query-string.js';
export {
  findToken,
  NEUTRAL_SUBPROTOCOL,
  tokenFromAuthorization,
  tokenFromQuery,
  tokenFromSubprotocols,
} from './identity/token.js';
export type { TokenSources } from './identity/token.js';
export { isOrigin, isOriginAllowed } from './connection/origin.js';
export type { OriginRule } from './connection/origin.js';

// Connections
export {
  connectionAgeMs,
  createConnection,
  haveSameRights,
  explainConnection,
  explainMetadata,
  filterByMetadata,
  filterByRole,
  filterByUser,
  isConnection,
  removeMetadata,
  setMetadata,
  updateMetadata,
} from './connection/connection.js';
export type { RealtimeConnection, RealtimeConnectionState } from './connection/connection.js';
export type { RealtimeEvent } from './connection/realtime-event.js';
export { connectionIdOn, nodeOf } from './connection/connection-id.js';
export { ConnectionIndex } from './connection/connection-index.js';

// Messages and routing
export {
  createMessage,
  explainMessage,
  explainMessageType,
  isMessage,
  MAX_TYPE_LENGTH,
  RESERVED_TYPE_PREFIX,
  stringifyMessage,
} from './message/message.js';
export type { MessageText, RealtimeMessage } from './message/message.js';
export type { MessageInput, RealtimeMessages } from './message/message-types.js';
export { all, connection, explainAddress, role, sameAddress, topic, user } from './routing/address.js';
export type { Address } from './routing/address.js';
export { addressed, broadcastMessage, connectionMessage, roleMessage, userMessage } from './routing/envelope.js';
export type {
  AddressedMessage,
  DisconnectOrder,
  MetadataOrder,
  Envelope,
  EnvelopeContent,
  MessageContent,
  Order,
  RevalidateOrder,
  Rights,
  RightsOrder,
  StopStreamOrder,
  SubscribeOrder,
  UnsubscribeOrder,
} from './routing/envelope.js';
export { countByType, filterByTarget, filterByType, filterSince } from './routing/message-filter.js';
export { matches, messagesReaching, reaches, recipientsOf, routeToConnections, routeToIds } from './routing/routing.js';
export type { Addressing, RecipientIndex } from './routing/routing.js';
export { ALL_SUBJECT, nodeSubject, subjectOf, subjectOfAll } from './bus/subject.js';
export { localReport } from './routing/delivery-report.js';
export type { MetadataPatch } from './identity/metadata-patch.js';
export type { DeliveryReport } from './routing/delivery-report.js';

// Node queries and node information
export type {
  ConnectionsQuery,
  InspectionQuery,
  InspectionRequest,
  NodeQueryResult,
  NodeQueryResults,
  NodeQuery,
  TopicsQuery,
} from './bus/node-query.js';
export type { CloseEvent, MessageRates, NodeHealth, NodeSnapshot, RefusalEvent, Traffic } from './bus/node-snapshot.js';
export type { RecentKind } from './base/recent-kinds.js';
export type { TailEntry } from './message/topic-tails.js';
export type { NodeCounts, NodeInfo } from './bus/node-info.js';

// Topics, subscriptions, presence
export { explainTopic, isTopic, MAX_TOPIC_LENGTH } from './topic/topic.js';
export { areAmbiguous, buildTopic, comparePatterns, compileTopicPattern, matchTopic } from './topic/topic-pattern.js';
export type { CompiledPattern, TopicPattern } from './topic/topic-pattern.js';
export { Subscriptions } from './topic/subscriptions.js';

// History
export { addressOfTopic } from './routing/topic-address.js';
export { personalTopic } from './topic/reserved-topic.js';
export { placeOf } from './history/recovery.js';
export type { Place } from './history/recovery.js';
export { TopicFeed } from './history/topic-feed.js';
export type { FeedEffects } from './history/topic-feed.js';
export type { MemberPage, MemberSettings } from './history/feed-members.js';
export type { CatchUpSettings, EntryWish } from './history/catch-up.js';
export { isEpoch, isOffset, isStreamPosition } from './history/history.js';
export type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from './history/history.js';
export { PublicationStreams } from './history/publication-streams.js';
export type { Appended } from './history/publication-streams.js';

// Presence
export type { Presence, PresenceChange, PresenceMember } from './presence/presence.js';
export type {
  PresenceLink,
  PresenceNews,
  PresencePicture,
  PresencePosition,
  PresenceReading,
} from './presence/presence-position.js';
export { PresenceTable } from './presence/presence-table.js';
export { PresenceOutbox } from './presence/presence-outbox.js';
export type { PresenceUpdate } from './presence/presence-outbox.js';

// Commands, pushes and codes, independent of the codec
export { MAX_COMMAND_ID_LENGTH } from './protocol/command.js';
export type {
  AuthCommand,
  CancelCommand,
  Command,
  CommandId,
  HistoryCommand,
  MessageCommand,
  MessageStream,
  PingCommand,
  PongCommand,
  PresenceCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from './protocol/command.js';
export { explainJsonShape } from './protocol/json-shape.js';
export type { JsonShape } from './protocol/json-shape.js';
export type { Push } from './protocol/push.js';
export { ERROR_CODES, errorCodeOfHttpStatus, isErrorCode } from './protocol/error-code.js';
export type { ErrorCode, WireError } from './protocol/error-code.js';
export { CLOSE_CODES, isFinalClose, MAX_REASON_BYTES } from './protocol/close-code.js';
export type { CloseCodeName } from './protocol/close-code.js';
export { describeProblems } from './base/problem.js';
export type { Problem } from './base/problem.js';
