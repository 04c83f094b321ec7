import type { BeforeApplicationShutdown, OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type PerMessageDeflateOptions, type ServerOptions, type WebSocket } from 'ws';
import { NEUTRAL_SUBPROTOCOL } from '../core/identity/token.js';
import { GATEWAY_MARKER } from '../options/realtime.constants.js';
import { RealtimeSettings } from '../options/realtime.options.js';
import { NodeDrain } from '../delivery/node-drain.js';
import type { Codec } from '../ports/codec.js';
import { drain } from './session/drain.js';
import { Heartbeat } from './session/heartbeat.js';
import { SendBudget } from './socket/send-budget.js';
import { ServedCodecs } from './upgrade/served-codecs.js';
import { ServedWebSocket } from './socket/served-web-socket.js';
import { Session, type Admitted } from './session/session.js';
import { endFailed, Sessions } from './session/sessions.js';
import { SessionServices } from './session/session-services.js';
import { compressedTextFrame, textFrame } from './socket/websocket-frame.js';
import { FlushQueue } from './socket/flush-queue.js';
import type { WsConnectionSocket, WriteShare } from './socket/ws-connection-socket.js';

/** How long a peer may take to answer a close frame, in milliseconds, before its socket is ended. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Each message is compressed by itself, with the usual window, so that one frame serves all who have agreed to compression. */
const DEFLATE: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: false as unknown as number,
};

/**
 * Holds the sockets of this node. A gateway like any other to Nest, found by {@link RealtimeWsAdapter} through its path;
 * requests reach it through {@link UpgradeEntrance}.
 * @internal
 */
@WebSocketGateway({ path: GATEWAY_MARKER })
export class RealtimeGateway implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown {
  readonly server: WebSocketServer;
  readonly #sessions = new Sessions();
  /** Sockets that speak one protocol get the same bytes, so that they leave as one parcel; others would come between. */
  readonly #shares: ReadonlyMap<Codec, WriteShare>;
  readonly #heartbeat: Heartbeat;
  /** What is spoken by the request that is being upgraded. */
  #upgrading: Codec | undefined;

  constructor(
    settings: RealtimeSettings,
    private readonly services: SessionServices,
    private readonly nodeDrain: NodeDrain,
    codecs: ServedCodecs,
  ) {
    nodeDrain.onStart(() => drain(this.#sessions.open, this.#sessions.leaving, settings.drain.timeoutMs));
    const { limits, heartbeat, compression } = settings;
    const { sendQueueBytes, totalSendQueueBytes, writeStallMs, authTimeoutMs } = limits;
    const options: ServerOptions & { closeTimeout: number; maxPendingAutoPongs: number } = {
      noServer: true,
      WebSocket: ServedWebSocket,
      clientTracking: false,
      maxPayload: unlimitedAsZero(limits.maxMessageBytes),
      maxFragments: unlimitedAsZero(limits.maxFragments),
      maxBufferedChunks: unlimitedAsZero(limits.maxBufferedChunks),
      maxPendingAutoPongs: unlimitedAsZero(limits.maxPendingPongs),
      closeTimeout: CLOSE_TIMEOUT_MS,
      perMessageDeflate: compression !== false && DEFLATE,
      handleProtocols: (offers) => {
        const answers = [this.#upgrading?.subprotocol, NEUTRAL_SUBPROTOCOL];
        return answers.find((name) => name !== undefined && offers.has(name)) ?? false;
      },
    };
    this.server = new WebSocketServer(options);
    const budget = new SendBudget(totalSendQueueBytes);
    const { minLength = Infinity } = compression || {};
    const common: Omit<WriteShare, 'batch'> = {
      budget,
      maxQueueBytes: sendQueueBytes,
      compressedFrame: (text) => (text.length < minLength ? textFrame(text) : compressedTextFrame(text)),
    };
    this.#shares = new Map(codecs.all.map((codec) => [codec, { batch: new FlushQueue(), ...common }]));
    this.#heartbeat = new Heartbeat(
      { ...heartbeat, writeStallMs, authTimeoutMs },
      this.#sessions.open,
      services.clock,
      codecs.all,
    );
  }

  onModuleInit(): void {
    this.#heartbeat.start();
  }

  /** The first hook there is: what the application's own hooks end later is still there for the last messages. */
  async onModuleDestroy(): Promise<void> {
    await this.nodeDrain.start();
  }

  beforeApplicationShutdown(): void {
    this.#heartbeat.stop();
    this.server.close();
  }

  /** How many sockets this node holds, authenticated or not. */
  get connectionCount(): number {
    return this.#sessions.open.size;
  }

  /**
   * Completes an upgrade that was admitted.
   * @param codec what is spoken at its path
   * @param admitted who it is; or somebody whose first command is to say so
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, codec: Codec, admitted: Admitted): void {
    declineExtensions(request);
    offerNothingEmpty(request);
    this.#upgrading = codec;
    // The answer to the request and the welcome leave in one system call.
    socket.cork();
    this.server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, codec, admitted).flush());
    socket.uncork();
  }

  #open(ws: WebSocket, codec: Codec, admitted: Admitted): WsConnectionSocket {
    const session = new Session(ws, codec, this.#shares.get(codec)!, this.services);
    this.#sessions.add(session, ws);
    try {
      session.open(admitted);
    } catch (error) {
      endFailed(session, error);
    }
    return session.socket;
  }
}

/** A smaller window would need a frame of its own. Where no other is offered, `ws` would answer 400 instead of declining. */
function declineExtensions({ headers }: IncomingMessage): void {
  const name = 'sec-websocket-extensions';
  const offers = headers[name]?.split(',');
  const acceptable = offers?.filter((offer) => !offer.includes('server_max_window_bits'));
  if (acceptable?.length === 0) delete headers[name];
  else if (acceptable) headers[name] = acceptable.join(',').trim();
}

/** Clients exist that send the header of their sub-protocols without any; `ws` would answer 400. */
function offerNothingEmpty({ headers }: IncomingMessage): void {
  if (headers['sec-websocket-protocol']?.trim() === '') delete headers['sec-websocket-protocol'];
}

/** How `ws` is told that there is no limit. */
function unlimitedAsZero(limit: number): number {
  return limit === Infinity ? 0 : limit;
}
