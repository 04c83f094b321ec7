import { JsonCodec } from '../codecs/json/json-codec.js';
import { CLOSE_CODES, type CloseCodeName } from '../core/close-code.js';
import { createConnection, type RealtimeConnection } from '../core/connection.js';
import type { RightsOrder } from '../core/envelope.js';
import type { ConnectionEvents } from '../delivery/connection-events.js';
import type { DeliveryTarget } from '../delivery/delivery-target.js';
import type { Membership } from '../delivery/membership.js';
import { ConnectionSocket } from '../ports/connection-socket.js';
import type { Frame } from '../ports/frame.js';
import type { PubSubManager } from '../ports/pub-sub-manager.js';
import type { ReceivedFrame } from './received-frame.js';

/** A connection without a network: it keeps what it is sent. Made by `RecordingRealtimeService.connect()`. */
export class RecordingConnection implements DeliveryTarget {
  /** The messages that arrived, in order, as a plain client would see them; the protocol's own frames are left out. */
  readonly received: ReceivedFrame[] = [];
  /** How it was ended by the server; undefined while it is open. */
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** @internal */
  readonly socket: ConnectionSocket = new RecordingSocket(this);

  #connection: RealtimeConnection;

  /** @internal */
  constructor(
    connection: RealtimeConnection,
    private readonly membership: Membership,
    private readonly pubSub: PubSubManager,
    private readonly events: ConnectionEvents,
  ) {
    this.#connection = connection;
  }

  /** The present snapshot, as handlers and `connectionsOf()` see it. */
  get connection(): RealtimeConnection {
    return this.#connection;
  }

  /** The connection's id. */
  get id(): string {
    return this.connection.id;
  }

  /** Subscribes it, as a client that was let in would be. @returns false when it was subscribed already, or is closed */
  subscribe(topic: string): boolean {
    const { connection, events } = this;
    if (this.closedWith || this.pubSub.isSubscribed(this.id, topic)) return false;
    void this.membership.subscribe(this.id, topic);
    events.emit({ type: 'subscribed', connection, topic });
    return true;
  }

  /** Ends a subscription. @returns false when there was none */
  unsubscribe(topic: string): boolean {
    const { connection, events } = this;
    const wasSubscribed = this.membership.unsubscribe(this.id, topic);
    if (wasSubscribed) events.emit({ type: 'unsubscribed', connection, topic });
    return wasSubscribed;
  }

  /** Gives it other roles or permissions. */
  changeRights({ roles, permissions }: Omit<RightsOrder, 'kind'>): void {
    if (this.closedWith) return;
    const { connection } = this;
    this.#connection = createConnection({
      ...connection,
      roles: roles ?? connection.roles,
      permissions: permissions ?? connection.permissions,
    });
    void this.membership.update(this.#connection);
  }

  /** Nothing to look at: it has no token. */
  revalidate(): void {}

  /** Ends it, as the server or the network would. */
  disconnect(code: CloseCodeName = 'DISCONNECTED', reason: string = CLOSE_CODES[code].reason): void {
    if (this.closedWith) return;
    const { connection, events } = this;
    const topics = this.membership.remove(this.id);
    this.closedWith = { code: CLOSE_CODES[code].code, reason };
    for (const topic of topics) events.emit({ type: 'unsubscribed', connection, topic });
    events.emit({ type: 'disconnected', connection, ...this.closedWith });
  }
}

/** The writing side of a recording connection. */
class RecordingSocket extends ConnectionSocket {
  readonly codec = CODEC;

  constructor(private readonly recording: RecordingConnection) {
    super();
  }

  send(frame: Frame): void {
    if (!this.recording.closedWith) this.recording.received.push(JSON.parse(frame.text) as ReceivedFrame);
  }

  close(code: CloseCodeName, reason?: string): void {
    this.recording.disconnect(code, reason);
  }
}

const CODEC = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity });
