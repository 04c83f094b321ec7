import { all, connection, role, user, type Address } from './address.js';
import type { CloseCodeName } from '../protocol/close-code.js';
import type { StreamPosition } from '../history/history.js';
import type { RealtimeMessage } from '../message/message.js';
import type { PresenceChange } from '../presence/presence.js';

/**
 * What crosses the bus: to whom, except whom, and what. The content is a message, news of who came or left, or an order
 * that the node which holds the addressed connections carries out.
 */
export interface Envelope<C extends EnvelopeContent = EnvelopeContent> {
  /** A connection that matches several addresses is reached once. */
  readonly to: readonly Address[];
  readonly except: readonly Address[];
  readonly content: C;
}

/** What an envelope carries. */
export type EnvelopeContent = MessageContent | PresenceChange | Order;

/** What the nodes that hold the addressed connections are to do with them. */
export type Order = DisconnectOrder | SubscribeOrder | UnsubscribeOrder | RevalidateOrder | RightsOrder;

/** A message as JSON text: serialised once by the sender, never parsed or written again on its way. */
export interface MessageContent {
  readonly kind: 'message';
  readonly text: string;
  /** Its place in the history of the topic that it is for, when that keeps one. */
  readonly position?: StreamPosition;
}

/** Close the addressed connections. */
export interface DisconnectOrder {
  readonly kind: 'disconnect';
  readonly code: CloseCodeName;
  /** Prose for the close frame, at most 123 bytes. */
  readonly reason: string;
}

/** Subscribe the addressed connections to a topic, without asking a handler. */
export interface SubscribeOrder {
  readonly kind: 'subscribe';
  readonly topic: string;
}

/** Take the addressed connections off a topic and tell them why. */
export interface UnsubscribeOrder {
  readonly kind: 'unsubscribe';
  readonly topic: string;
  readonly reason: string;
}

/** Ask whether the addressed connections' tokens have been revoked, and end those where they have. */
export interface RevalidateOrder {
  readonly kind: 'revalidate';
}

/** Give the addressed connections other roles or permissions, and judge their topics anew. */
export interface RightsOrder extends Partial<Rights> {
  readonly kind: 'rights';
}

/** What a connection may: replaced as a whole. */
export interface Rights {
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
}

/** A message with its addresses, before it is serialised: the form in which the functions below look at it. */
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

/** A message to everybody. */
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
