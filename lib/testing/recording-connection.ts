import { JsonCodec } from '../codecs/json/json-codec.js';
import { CLOSE_CODES, type CloseCodeName } from '../core/protocol/close-code.js';
import { patchMetadata } from '../core/identity/metadata-patch.js';
import { createConnection, type RealtimeConnection } from '../core/connection/connection.js';
import type { MetadataOrder, RightsOrder } from '../core/routing/envelope.js';
import type { ConnectionEvents } from '../delivery/connection-events.js';
import type { DeliveryTarget } from '../delivery/delivery-target.js';
import type { LocalPresence } from '../delivery/local-presence.js';
import type { Membership } from '../delivery/membership.js';
import type { PresenceWatchers } from '../delivery/presence-watchers.js';
import { ConnectionSocket } from '../ports/connection-socket.js';
import type { Frame } from '../ports/frame.js';
import type { PubSubManager } from '../ports/pub-sub-manager.js';
import type { ReceivedFrame } from './received-frame.js';

/** The services that all recording connections of a service share. @internal */
export interface RecordingParts {
  readonly membership: Membership;
  readonly pubSub: PubSubManager;
  readonly events: ConnectionEvents;
  readonly presence: LocalPresence;
  readonly watchers: PresenceWatchers;
}

/** Options for subscribing a {@link RecordingConnection}. */
export interface RecordingSubscribeOptions {
  /** The info that `@OnSubscribe()` would return as `{ info }`. */
  readonly info?: unknown;
  /** Whether the connection receives joins and leaves. Default false. */
  readonly presence?: boolean;
}

/** A connection without a network, which records the frames sent to it. Created by `RecordingRealtimeService.connect()`. */
export class RecordingConnection implements DeliveryTarget {
  /**
   * The messages received, in order, as a plain client sees them, and `realtime:joined` and `realtime:left` if the
   * subscription requested them. Other frames of the protocol are left out.
   */
  readonly received: ReceivedFrame[] = [];
  /** Close code and reason from the server; undefined while it is open. */
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** @internal */
  readonly socket: ConnectionSocket = new RecordingSocket(this);

  #connection: RealtimeConnection;

  /** @internal */
  constructor(
    connection: RealtimeConnection,
    private readonly parts: RecordingParts,
  ) {
    this.#connection = connection;
  }

  /** The current snapshot, as handlers and `connectionsOf()` see it. */
  get connection(): RealtimeConnection {
    return this.#connection;
  }

  /** The connection's id. */
  get id(): string {
    return this.connection.id;
  }

  /**
   * Subscribes the connection, as if `@OnSubscribe()` had allowed it. `usersIn()` then lists its user in the topic.
   * @returns false if it was already subscribed, or is closed
   */
  subscribe(topic: string, { info, presence = false }: RecordingSubscribeOptions = {}): boolean {
    const { connection, parts } = this;
    if (this.closedWith || parts.pubSub.isSubscribed(this.id, topic)) return false;
    void parts.membership.enter(this.id, topic, { stream: undefined, onStart: () => undefined });
    parts.events.emit({ type: 'subscribed', connection, topic });
    if (presence) parts.watchers.watch(topic, this.id);
    parts.presence.enter(topic, connection, info);
    return true;
  }

  /** Ends a subscription. @returns false if there was none */
  unsubscribe(topic: string): boolean {
    const { connection, parts } = this;
    if (!parts.membership.unsubscribe(this.id, topic)) return false;
    parts.events.emit({ type: 'unsubscribed', connection, topic });
    this.#leave(topic);
    return true;
  }

  missed(): void {}

  leftOut(): void {}

  /** Replaces its roles or permissions. */
  changeRights({ roles, permissions }: Omit<RightsOrder, 'kind'>): void {
    if (this.closedWith) return;
    const { connection } = this;
    const rights = { roles: roles ?? connection.roles, permissions: permissions ?? connection.permissions };
    this.#connection = createConnection({ ...connection, ...rights }, connection);
    void this.parts.membership.update(this.#connection);
  }

  /** Changes its metadata. No topic is judged anew, because it has no gateways. */
  updateMetadata({ patch }: Omit<MetadataOrder, 'kind'>): void {
    if (this.closedWith) return;
    const { connection } = this;
    const metadata = patchMetadata(connection.metadata, patch);
    this.#connection = createConnection({ ...connection, metadata }, connection);
    void this.parts.membership.update(this.#connection);
  }

  /** Does nothing, because it has no token. */
  revalidate(): void {}

  /** Closes the connection, as the server or the network would, without a grace period for presence. */
  disconnect(code: CloseCodeName = 'DISCONNECTED', reason: string = CLOSE_CODES[code].reason): void {
    if (this.closedWith) return;
    const { connection, parts } = this;
    const topics = parts.membership.remove(this.id);
    this.closedWith = { code: CLOSE_CODES[code].code, reason };
    for (const topic of topics) {
      parts.events.emit({ type: 'unsubscribed', connection, topic });
      this.#leave(topic);
    }
    parts.events.emit({ type: 'disconnected', connection, ...this.closedWith });
  }

  #leave(topic: string): void {
    this.parts.watchers.unwatch(topic, this.id);
    this.parts.presence.leave(topic, this.connection);
  }
}

/** The sending side of a recording connection. */
class RecordingSocket extends ConnectionSocket {
  readonly codec = CODEC;

  constructor(private readonly recording: RecordingConnection) {
    super();
  }

  send(frame: Frame): void {
    if (!this.recording.closedWith) this.recording.received.push(JSON.parse(frame.payload as string) as ReceivedFrame);
  }

  close(code: CloseCodeName, reason?: string): void {
    this.recording.disconnect(code, reason);
  }
}

const CODEC = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity, maxValues: Infinity });
