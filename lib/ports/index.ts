/**
 * The ports that adapters implement, with what each promises.
 * @module nestjs-realtime/ports
 */
import 'reflect-metadata';

// Ports: abstract classes, token and type in one
export { Clock } from './clock.js';
export { ConnectionRegistry } from './connection-registry.js';
export { HistoryStore, type HistoryPublishOptions, type PositionedReport } from './history-store.js';
export { IdGenerator } from './id-generator.js';
export {
  MessageBus,
  type BusAskOptions,
  type BusPublishOptions,
  type EnvelopeReceiver,
  type MessageBusNode,
  type QueryResponder,
} from './message-bus.js';
export { NodeDirectory, type NodeSelf } from './node-directory.js';
export { PresenceStore, type PresenceNode } from './presence-store.js';
export type {
  PresenceLink,
  PresenceNews,
  PresencePicture,
  PresencePosition,
  PresenceReading,
} from '../core/presence/presence-position.js';
export { PubSubManager } from './pub-sub-manager.js';

// Arguments and results
export type { NodeQuery, NodeQueryResult } from '../core/bus/node-query.js';
export type { HistoryPage, HistoryRange, Publication, Retention, StreamPosition } from '../core/history/history.js';
export type { Envelope, EnvelopeContent } from '../core/routing/envelope.js';
