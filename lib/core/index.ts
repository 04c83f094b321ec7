// Who somebody is, and what they may
export { explainClaims, explainIdentity, identityFromClaims, isClaims, isExpired } from './claims.js';
export type { Identity, JwtClaims } from './claims.js';
export type { ClaimsRefusal } from './expected-claims.js';
export {
  authError,
  authorize,
  hasAllPermissions,
  hasAllRoles,
  hasAnyPermission,
  hasAnyRole,
  hasPermission,
  hasRole,
} from './authorization.js';
export type { AuthError, Authorization, Refusal, Requirements, Subject } from './authorization.js';

// What a request says: parameters, token, origin
export { parseQuery } from './query.js';
export {
  findToken,
  NEUTRAL_SUBPROTOCOL,
  tokenFromAuthorization,
  tokenFromQuery,
  tokenFromSubprotocols,
} from './token.js';
export type { TokenSources } from './token.js';
export { isOrigin, isOriginAllowed } from './origin.js';
export type { OriginRule } from './origin.js';

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
} from './connection.js';
export type { RealtimeConnection } from './connection.js';
export type { RealtimeEvent } from './realtime-event.js';
export { connectionIdOn, nodeOf } from './connection-id.js';
export { ConnectionIndex } from './connection-index.js';

// Messages, and where they go
export {
  createMessage,
  explainMessage,
  explainMessageType,
  isMessage,
  MAX_TYPE_LENGTH,
  RESERVED_TYPE_PREFIX,
  stringifyMessage,
} from './message.js';
export type { MessageText, RealtimeMessage } from './message.js';
export type { MessageInput, RealtimeMessages } from './message-types.js';
export { all, connection, explainAddress, role, sameAddress, topic, user } from './address.js';
export type { Address } from './address.js';
export { addressed, broadcastMessage, connectionMessage, roleMessage, userMessage } from './envelope.js';
export type {
  AddressedMessage,
  DisconnectOrder,
  Envelope,
  EnvelopeContent,
  MessageContent,
  Order,
  RevalidateOrder,
  Rights,
  RightsOrder,
  SubscribeOrder,
  UnsubscribeOrder,
} from './envelope.js';
export { countByType, filterByTarget, filterByType, filterSince } from './message-filter.js';
export { matches, messagesReaching, reaches, recipientsOf, routeToConnections, routeToIds } from './routing.js';
export type { Addressing, RecipientIndex } from './routing.js';
export { ALL_SUBJECT, nodeSubject, subjectOf, subjectOfAll } from './subject.js';
export { localReport } from './delivery-report.js';
export type { DeliveryReport } from './delivery-report.js';

// What nodes ask each other, and say of themselves
export type { ConnectionsQuestion, Finding, Findings, Question, TopicsQuestion } from './question.js';
export type { NodeCounts, NodeInfo } from './node-info.js';

// Topics, subscriptions, presence
export { explainTopic, isTopic, MAX_TOPIC_LENGTH } from './topic.js';
export { areAmbiguous, buildTopic, comparePatterns, compileTopicPattern, matchTopic } from './topic-pattern.js';
export type { CompiledPattern, TopicPattern } from './topic-pattern.js';
export { Subscriptions } from './subscriptions.js';

// What is kept of a topic's past
export { addressOfTopic, personalTopic } from './personal-topic.js';
export { isRun, placeOf, recover } from './recovery.js';
export type { Place, Recovery } from './recovery.js';
export { TopicFeed } from './topic-feed.js';
export type { Admission, FeedEffects, FeedSettings } from './topic-feed.js';
export { isEpoch, isOffset, isStreamPosition } from './history.js';
export type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from './history.js';
export { PublicationStreams } from './publication-streams.js';
export type { Appended } from './publication-streams.js';

// Who is in a topic
export type { Presence, PresenceChange, PresenceMember } from './presence.js';
export { PresenceTable } from './presence-table.js';
export { HeldMembers } from './held-members.js';
export type { Saying } from './held-members.js';

// What crosses the socket, whatever the codec
export { MAX_COMMAND_ID_LENGTH } from './command.js';
export type {
  AuthCommand,
  CancelCommand,
  Command,
  CommandId,
  HistoryCommand,
  MessageCommand,
  PingCommand,
  PongCommand,
  PresenceCommand,
  SubscribeCommand,
  UnsubscribeCommand,
} from './command.js';
export { explainJsonShape } from './json-shape.js';
export type { JsonShape } from './json-shape.js';
export type { Push } from './push.js';
export { ERROR_CODES, errorCodeOfHttpStatus, isErrorCode } from './error-code.js';
export type { ErrorCode, WireError } from './error-code.js';
export { CLOSE_CODES, isFinalClose, MAX_REASON_BYTES } from './close-code.js';
export type { CloseCodeName } from './close-code.js';
export { describeProblems } from './problem.js';
export type { Problem } from './problem.js';
