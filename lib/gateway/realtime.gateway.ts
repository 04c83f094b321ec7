import { Logger, type BeforeApplicationShutdown, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { WebSocketGateway } from '@nestjs/websockets';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { JsonCodec } from '../codecs/json/json-codec.js';
import { NEUTRAL_SUBPROTOCOL } from '../core/token.js';
import type { Authenticated } from '../ports/authenticator.js';
import { GATEWAY_MARKER } from '../realtime.constants.js';
import { RealtimeSettings } from '../realtime.options.js';
import { drain } from './drain.js';
import { Heartbeat } from './heartbeat.js';
import { Session } from './session.js';
import { SessionServices } from './session-services.js';
import { WriteBatch } from './write-batch.js';
import { WsConnectionSocket } from './ws-connection-socket.js';

/** How long a peer may take to answer a close frame, in milliseconds, before its socket is ended. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Holds the sockets of this node. A gateway like any other to Nest, found by {@link RealtimeWsAdapter} through its path;
 * requests reach it through {@link UpgradeEntrance}.
 * @internal
 */
@WebSocketGateway({ path: GATEWAY_MARKER })
export class RealtimeGateway implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown {
  readonly server: WebSocketServer;
  readonly #logger = new Logger(RealtimeGateway.name);
  readonly #sessions = new Set<Session>();
  readonly #batch = new WriteBatch();
  readonly #codec: JsonCodec;
  readonly #heartbeat: Heartbeat;
  #draining: Promise<void> | undefined;

  constructor(
    private readonly settings: RealtimeSettings,
    private readonly services: SessionServices,
  ) {
    const { limits, heartbeat } = settings;
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      // ws takes 0 for "no limit".
      maxPayload: limits.maxMessageBytes === Infinity ? 0 : limits.maxMessageBytes,
      maxFragments: limits.maxFragments === Infinity ? 0 : limits.maxFragments,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: (offers) => (offers.has(NEUTRAL_SUBPROTOCOL) ? NEUTRAL_SUBPROTOCOL : false),
    };
    this.server = new WebSocketServer(options);
    this.#codec = new JsonCodec({ maxDepth: limits.maxJsonDepth, maxKeys: limits.maxJsonKeys });
    this.#heartbeat = new Heartbeat(heartbeat, this.#sessions, services.clock, this.#codec);
  }

  /** True once the connections are being ended; no new ones are let in from then on. */
  get isDraining(): boolean {
    return this.#draining !== undefined;
  }

  onModuleInit(): void {
    this.#heartbeat.start();
  }

  /** The first hook there is: what the application's own hooks end later is still there for the last messages. */
  async onModuleDestroy(): Promise<void> {
    await this.drain();
  }

  beforeApplicationShutdown(): void {
    this.#heartbeat.stop();
    this.server.close();
  }

  /** Completes an upgrade that was admitted. Without `authenticated` the token must come as the first command. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, authenticated: Authenticated | undefined): void {
    this.server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, authenticated));
  }

  /** Ends all connections, spread over a time that fits their number, within `drain.timeoutMs`. Safe to call again. */
  drain(): Promise<void> {
    return (this.#draining ??= drain(this.#sessions, this.settings.drain.timeoutMs));
  }

  #open(ws: WebSocket, authenticated: Authenticated | undefined): void {
    const socket = new WsConnectionSocket(ws, this.#codec, this.#batch, this.settings.limits.sendQueueBytes, () =>
      session.disconnect('SLOW'),
    );
    const session = new Session(socket, ws, this.services);
    this.#sessions.add(session);
    ws.on('message', (data: Buffer, isBinary) => this.#guard(session, () => session.receive(data, isBinary)));
    ws.on('pong', () => session.heard());
    // ws ends the socket by itself after an error; a `close` follows.
    ws.on('error', (error) => this.#logger.debug(`A socket failed: ${error.message}`));
    ws.on('close', (code, reason) => {
      void session.ended(code, reason.toString()).finally(() => this.#sessions.delete(session));
    });
    this.#guard(session, () => session.open(authenticated));
  }

  /** Nothing that goes wrong with one socket may reach another, or the process. */
  #guard(session: Session, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#logger.error('A connection failed', (error as Error)?.stack);
      session.disconnect('SERVER_ERROR');
    }
  }
}
