import type { BeforeApplicationShutdown, OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type PerMessageDeflateOptions, type ServerOptions, type WebSocket } from 'ws';
import { JsonCodec } from '../codecs/json/json-codec.js';
import { NEUTRAL_SUBPROTOCOL } from '../core/token.js';
import { GATEWAY_MARKER } from '../realtime.constants.js';
import { RealtimeSettings } from '../realtime.options.js';
import { NodeDrain } from '../delivery/node-drain.js';
import { drain } from './drain.js';
import { Heartbeat } from './heartbeat.js';
import { SendBudget } from './send-budget.js';
import { Session, type Admitted } from './session.js';
import { endFailed, Sessions } from './sessions.js';
import { SessionServices } from './session-services.js';
import { compressedTextFrame, textFrame } from './websocket-frame.js';
import { WriteBatch } from './write-batch.js';
import type { WsConnectionSocket, WriteShare } from './ws-connection-socket.js';

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
  readonly #share: WriteShare;
  readonly #codec: JsonCodec;
  readonly #heartbeat: Heartbeat;

  constructor(
    settings: RealtimeSettings,
    private readonly services: SessionServices,
    private readonly nodeDrain: NodeDrain,
  ) {
    nodeDrain.onStart(() => drain(this.#sessions.open, this.#sessions.leaving, settings.drain.timeoutMs));
    const { limits, heartbeat, compression } = settings;
    const { sendQueueBytes, totalSendQueueBytes, writeStallMs, authTimeoutMs } = limits;
    const options: ServerOptions & { closeTimeout: number; maxPendingAutoPongs: number } = {
      noServer: true,
      clientTracking: false,
      maxPayload: unlimitedAsZero(limits.maxMessageBytes),
      maxFragments: unlimitedAsZero(limits.maxFragments),
      maxBufferedChunks: unlimitedAsZero(limits.maxBufferedChunks),
      maxPendingAutoPongs: unlimitedAsZero(limits.maxPendingPongs),
      closeTimeout: CLOSE_TIMEOUT_MS,
      perMessageDeflate: compression !== false && DEFLATE,
      handleProtocols: (offers) => (offers.has(NEUTRAL_SUBPROTOCOL) ? NEUTRAL_SUBPROTOCOL : false),
    };
    this.server = new WebSocketServer(options);
    this.#codec = new JsonCodec({ maxDepth: limits.maxJsonDepth, maxKeys: limits.maxJsonKeys });
    const budget = new SendBudget(totalSendQueueBytes);
    const { minLength = Infinity } = compression || {};
    this.#share = {
      batch: new WriteBatch(),
      budget,
      maxQueueBytes: sendQueueBytes,
      compressedFrame: (text) => (text.length < minLength ? textFrame(text) : compressedTextFrame(text)),
    };
    this.#heartbeat = new Heartbeat(
      { ...heartbeat, writeStallMs, authTimeoutMs },
      this.#sessions.open,
      services.clock,
      this.#codec,
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
   * @param admitted who it is; or, when the token is to come as the first command, what to call once it has come
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, admitted: Admitted): void {
    declineExtensions(request);
    // The answer to the request and the welcome leave in one system call.
    socket.cork();
    this.server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, admitted).flush());
    socket.uncork();
  }

  #open(ws: WebSocket, admitted: Admitted): WsConnectionSocket {
    const session = new Session(ws, this.#codec, this.#share, this.services);
    this.#sessions.add(session, ws);
    try {
      session.open(admitted);
    } catch (error) {
      endFailed(session, error);
    }
    return session.socket;
  }
}

/** A smaller window would need a frame of its own. Where nothing else is offered, `ws` would answer 400 instead of declining. */
function declineExtensions({ headers }: IncomingMessage): void {
  const offers = headers['sec-websocket-extensions']?.split(',');
  if (offers?.every((offer) => offer.includes('server_max_window_bits'))) delete headers['sec-websocket-extensions'];
}

/** How `ws` is told that there is no limit. */
function unlimitedAsZero(limit: number): number {
  return limit === Infinity ? 0 : limit;
}
