import type { CloseCodeName } from '../core/protocol/close-code.js';
import type { MetadataOrder, RightsOrder } from '../core/routing/envelope.js';
import type { StreamPosition } from '../core/history/history.js';
import type { ConnectionSocket } from '../ports/connection-socket.js';

/**
 * A connection of this node, as seen by what is addressed to it. None of the methods throws or waits; where a promise is
 * returned, it settles when the order is in force, and does not reject.
 */
export interface DeliveryTarget {
  readonly socket: ConnectionSocket;
  /** True: what is sent to its user reaches it as publications of the user's own topic, in the order of their history. */
  readonly hasPersonalTopic?: boolean;
  /** Ends the connection. */
  disconnect(code: CloseCodeName, reason: string): void;
  /** Subscribes it without asking a handler; false when it was subscribed already. */
  subscribe(topic: string): boolean | Promise<boolean>;
  /** Ends a subscription and tells the client why; false when there was none. */
  unsubscribe(topic: string, reason: string): boolean;
  /** Publications to a topic were missed on the way to it, and cannot be had any more; it goes on behind the position. */
  missed(topic: string, position: StreamPosition): void;
  /** Puts other roles or permissions in place and judges its topics anew; what is left out stays. */
  changeRights(rights: Omit<RightsOrder, 'kind'>): void | Promise<void>;
  /** Changes its metadata, and judges its topics anew when the order says so. */
  updateMetadata(order: Omit<MetadataOrder, 'kind'>): void | Promise<void>;
  /** Has its token looked at again, and ends it when that was revoked. */
  revalidate(): void;
}
