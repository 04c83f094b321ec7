import { JsonCodec } from '../codecs/json/json-codec.js';
import { CLOSE_CODES, type CloseCodeName } from '../core/close-code.js';
import type { RealtimeConnection } from '../core/connection.js';
import type { DeliveryTarget } from '../delivery/delivery-target.js';
import type { Membership } from '../delivery/membership.js';
import { ConnectionSocket } from '../ports/connection-socket.js';
import type { Frame } from '../ports/frame.js';
import type { ReceivedFrame } from './received-frame.js';

/** A connection without a network: it keeps what it is sent. Made by `RecordingRealtimeService.connect()`. */
export class RecordingConnection implements DeliveryTarget {
  /** What arrived, in order, as a plain client would see it. */
  readonly received: ReceivedFrame[] = [];
  /** How it was ended by the server; undefined while it is open. */
  closedWith: { readonly code: number; readonly reason: string } | undefined;
  /** @internal */
  readonly socket: ConnectionSocket = new RecordingSocket(this);

  /** @internal */
  constructor(
    /** The snapshot, as handlers and `connectionsOf()` see it. */
    readonly connection: RealtimeConnection,
    private readonly membership: Membership,
  ) {}

  /** The connection's id. */
  get id(): string {
    return this.connection.id;
  }

  /** Subscribes it, as a client that was let in would be. */
  subscribe(topic: string): boolean {
    if (this.closedWith) return false;
    void this.membership.subscribe(this.id, topic);
    return true;
  }

  unsubscribe(topic: string): boolean {
    return this.membership.unsubscribe(this.id, topic);
  }

  /** Nothing to look at: it has no token. */
  revalidate(): void {}

  disconnect(code: CloseCodeName = 'DISCONNECTED', reason: string = CLOSE_CODES[code].reason): void {
    if (this.closedWith) return;
    this.membership.remove(this.id);
    this.socket.close(code, reason);
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

  close(code: CloseCodeName, reason: string = CLOSE_CODES[code].reason): void {
    this.recording.closedWith ??= { code: CLOSE_CODES[code].code, reason };
  }
}

const CODEC = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity });
