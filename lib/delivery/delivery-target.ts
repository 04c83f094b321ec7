import type { CloseCodeName } from '../core/protocol/close-code.js';
import type { MetadataOrder, RightsOrder } from '../core/routing/envelope.js';
import type { StreamPosition } from '../core/history/history.js';
import type { ConnectionSocket } from '../ports/connection-socket.js';
import type { Recipient } from './fan-outs.js';

/**
 * A connection of this node, as the target of messages and orders. No method throws or blocks. A returned promise settles
 * once the order has taken effect, and never rejects.
 */
export interface DeliveryTarget extends Recipient {
  readonly socket: ConnectionSocket;
  /** True: messages to its user reach it as publications of the user's personal topic, in the order of the history. */
  readonly hasPersonalTopic?: boolean;
  /** Ends the connection. */
  disconnect(code: CloseCodeName, reason: string): void;
  /** Subscribes it without asking a handler; false when it was subscribed already. */
  subscribe(topic: string): boolean | Promise<boolean>;
  /** Ends a subscription and tells the client why; false when there was none. */
  unsubscribe(topic: string, reason: string): boolean;
  /** Reports that publications of a topic are lost and cannot be recovered; delivery continues after the position. */
  missed(topic: string, position: StreamPosition): void;
  /** Reports that messages of a topic were left out because the client did not take them; delivery continues. */
  leftOut(topic: string, count: number): void;
  /** Replaces its roles or permissions and reauthorizes its topics; an omitted field keeps its value. */
  changeRights(rights: Omit<RightsOrder, 'kind'>): void | Promise<void>;
  /** Updates its metadata, and reauthorizes its topics if the order asks for that. */
  updateMetadata(order: Omit<MetadataOrder, 'kind'>): void | Promise<void>;
  /** Rechecks its token, and ends the connection if the token was revoked. */
  revalidate(): void;
}
