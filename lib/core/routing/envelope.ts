import { all, connection, role, user, type Address } from './address.js';
import type { CloseCodeName } from '../protocol/close-code.js';
import type { MetadataPatch } from '../identity/metadata-patch.js';
import type { StreamPosition } from '../history/history.js';
import type { RealtimeMessage } from '../message/message.js';
import type { PresenceNews } from '../presence/presence-position.js';

/**
 * The unit that crosses the bus: addresses, exceptions and content. The content is a message, a presence change, or an
 * order for the nodes that hold the addressed connections.
 */
export interface Envelope<C extends EnvelopeContent = EnvelopeContent> {
  /** A connection that matches several addresses is reached once. */
  readonly to: readonly Address[];
  readonly except: readonly Address[];
  readonly content: C;
  /** The context of the span that published it, as `traceparent`, if it is traced. */
  readonly trace?: string;
}

/** The content of an envelope. */
export type EnvelopeContent = MessageContent | PresenceNews | Order | StopStreamOrder;

/** An operation that the nodes carry out on the addressed connections. */
export type Order = DisconnectOrder | SubscribeOrder | UnsubscribeOrder | RevalidateOrder | RightsOrder | MetadataOrder;

/** A message as JSON text: serialised once by the sender, and not parsed or serialised again on its way. */
export interface MessageContent {
  readonly kind: 'message';
  readonly text: string;
  /** Its position in the topic's history, if the topic keeps one. */
  readonly position?: StreamPosition;
  /** Its key, by which it replaces the earlier value in a topic that delivers the latest ones. Default: its type. */
  readonly key?: string;
  /** True if it may be left out for connections that cannot take it at once. */
  readonly volatile?: true;
}

/** Closes the addressed connections. */
export interface DisconnectOrder {
  readonly kind: 'disconnect';
  readonly code: CloseCodeName;
  /** Text for the close frame, at most 123 bytes. */
  readonly reason: string;
}

/** Subscribes the addressed connections to a topic without calling `@OnSubscribe`. */
export interface SubscribeOrder {
  readonly kind: 'subscribe';
  readonly topic: string;
}

/** Unsubscribes the addressed connections from a topic and tells them the reason. */
export interface UnsubscribeOrder {
  readonly kind: 'unsubscribe';
  readonly topic: string;
  readonly reason: string;
}

/** Checks whether the tokens of the addressed connections were revoked, and closes the connections of revoked ones. */
export interface RevalidateOrder {
  readonly kind: 'revalidate';
}

/** Replaces roles or permissions of the addressed connections, and authorizes their topics again. */
export interface RightsOrder extends Partial<Rights> {
  readonly kind: 'rights';
}

/** Change the metadata of the addressed connections. */
export interface MetadataOrder {
  readonly kind: 'metadata';
  readonly patch: MetadataPatch;
  /** True: reauthorize their topics with it. */
  readonly reauthorize: boolean;
}

/** Stops a published stream, on the node that runs it. It concerns no connections, whatever its addresses. */
export interface StopStreamOrder {
  readonly kind: 'stop-stream';
  readonly topic: string;
  readonly id: string;
}

/** The rights of a connection; each list is replaced as a whole. */
export interface Rights {
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

/** A message with its addresses, before serialisation; the input of the functions below. */
export interface AddressedMessage {
  readonly to: readonly Address[];
  readonly except: readonly Address[];
  readonly message: RealtimeMessage;
}

/** A message to some addresses. */
export function addressed(
  message: RealtimeMessage,
  to: readonly Address[],
  except: readonly Address[] = [],
): AddressedMessage {
  return { to, except, message };
}

/** A message to all connections. */
export function broadcastMessage(message: RealtimeMessage): AddressedMessage {
  return addressed(message, [all()]);
}

/** A message to all connections of one user. */
export function userMessage(userId: string, message: RealtimeMessage): AddressedMessage {
  return addressed(message, [user(userId)]);
}

/** A message to all connections with a role. */
export function roleMessage(name: string, message: RealtimeMessage): AddressedMessage {
  return addressed(message, [role(name)]);
}

/** A message to one connection. */
export function connectionMessage(connectionId: string, message: RealtimeMessage): AddressedMessage {
  return addressed(message, [connection(connectionId)]);
}
