import { Injectable, type BeforeApplicationShutdown, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type PerMessageDeflateOptions, type ServerOptions } from 'ws';
import { acceptableExtensions, selectSubprotocol } from '../core/protocol/upgrade-offers.js';
import { RealtimeSettings } from '../options/realtime.options.js';
import { NodeDrain } from '../delivery/node-drain.js';
import { NodeMeter } from '../delivery/node-meter.js';
import type { Codec } from '../ports/codec.js';
import { drain } from './session/drain.js';
import { Heartbeat } from './session/heartbeat.js';
import { ByteBudget } from './socket/byte-budget.js';
import type { TurnQueue } from './turn-queue.js';
import { ServedCodecs } from './served-codecs.js';
import { ServedWebSocket } from './socket/served-web-socket.js';
import { endFailed } from './session/connection-failure.js';
import { SocketEndpoint, type Admitted } from './session/socket-endpoint.js';
import { SocketEndpoints } from './session/socket-endpoints.js';
import { SessionServices } from './session/session-services.js';
import { compressedFrame, messageFrame } from './socket/websocket-frame.js';
import { FlushQueue } from './socket/flush-queue.js';
import type { WsConnectionSocket, WriteShare } from './socket/ws-connection-socket.js';

/** The time limit for a peer to answer a close frame, in milliseconds; then its socket is destroyed. */
const CLOSE_TIMEOUT_MS = 5_000;

/** Compresses each message on its own, with the default window, so that one frame serves all clients with compression. */
const DEFLATE: PerMessageDeflateOptions = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: false as unknown as number,
};

/**
 * Holds the sockets of this node; requests reach it through `UpgradeHandler`. It is not a Nest gateway: one would make Nest
 * choose a WebSocket adapter, and that choice belongs to the application's own gateways.
 * @internal
 */
@Injectable()
export class RealtimeGateway implements OnModuleInit, OnModuleDestroy, BeforeApplicationShutdown {
  readonly server: WebSocketServer;
  readonly #endpoints = new SocketEndpoints<SocketEndpoint>();
  /** One share for each codec: sockets of one codec receive the same bytes and leave as one batch. */
  readonly #shares: ReadonlyMap<Codec, WriteShare>;
  readonly #heartbeat: Heartbeat;
  /** The codec of the request that `ws` is upgrading; it does so within one call. */
  #upgrading: Codec | undefined;

  constructor(
    settings: RealtimeSettings,
    private readonly services: SessionServices,
    private readonly nodeDrain: NodeDrain,
    codecs: ServedCodecs,
    private readonly meter: NodeMeter,
  ) {
    nodeDrain.onStart(() => drain(this.#endpoints.open, this.#endpoints.leaving, settings.drain.timeoutMs));
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
      handleProtocols: (offers) => selectSubprotocol(offers, this.#upgrading?.subprotocol),
    };
    this.server = new WebSocketServer(options);
    const budget = new ByteBudget(totalSendQueueBytes);
    meter.sendQueue = budget;
    const { minLength = Infinity } = compression || {};
    const common: Omit<WriteShare, 'batch' | 'meter'> = {
      budget,
      maxQueueBytes: sendQueueBytes,
      compressedFrame: (payload) => (payload.length < minLength ? messageFrame(payload) : compressedFrame(payload)),
    };
    this.#shares = new Map(
      codecs.all.map((codec) => [codec, { batch: new FlushQueue(), meter: meter.protocol(codec.name), ...common }]),
    );
    services.turns.onBusy(() => {
      for (const { batch } of this.#shares.values()) batch.flushFirst();
    });
    this.#heartbeat = new Heartbeat(
      { ...heartbeat, writeStallMs, authTimeoutMs },
      this.#endpoints.open,
      services.clock,
      codecs.all,
    );
  }

  onModuleInit(): void {
    this.#heartbeat.start();
  }

  /** Drains in Nest's first shutdown hook, while the application's providers can still serve the last messages. */
  async onModuleDestroy(): Promise<void> {
    await this.nodeDrain.start();
  }

  beforeApplicationShutdown(): void {
    this.#heartbeat.stop();
    this.server.close();
  }

  /** The work that has to wait for a later turn of the event loop: the commands of crowds, and newcomers. */
  get turns(): TurnQueue {
    return this.services.turns;
  }

  /** The number of sockets of this node, authenticated or not. */
  get connectionCount(): number {
    return this.#endpoints.open.size;
  }

  /**
   * Completes the upgrade of an admitted request.
   * @param codec the codec that the request selected
   * @param admitted the identity, or a client that its first command has yet to authenticate
   * @param address IP address of the client, if known
   * @param trace the context of the span of the upgrade, if it is traced
   */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    codec: Codec,
    admitted: Admitted,
    address: string | undefined,
    trace?: string,
  ): void {
    declineExtensions(request);
    offerNothingEmpty(request);
    this.#upgrading = codec;
    // The handshake response and the welcome leave in one system call.
    socket.cork();
    let isOpen = false;
    this.server.handleUpgrade(request, socket, head, (ws) => {
      isOpen = true;
      this.#open(ws as ServedWebSocket, codec, admitted, address, trace).flush();
    });
    socket.uncork();
    // `ws` has answered a handshake that is invalid.
    this.meter.upgraded(isOpen ? 101 : request.method === 'GET' ? 400 : 405);
    this.#upgrading = undefined;
  }

  #open(
    ws: ServedWebSocket,
    codec: Codec,
    admitted: Admitted,
    address: string | undefined,
    trace: string | undefined,
  ): WsConnectionSocket {
    const endpoint = new SocketEndpoint(ws, codec, this.#shares.get(codec)!, this.services, address, trace);
    this.#endpoints.add(endpoint, ws);
    endpoint.socket.awaitFlush();
    try {
      endpoint.open(admitted);
    } catch (error) {
      endFailed(endpoint, error);
    }
    return endpoint.socket;
  }
}

/** Removes the extensions that `ws` could not decline. */
function declineExtensions({ headers }: IncomingMessage): void {
  const name = 'sec-websocket-extensions';
  const offered = headers[name];
  if (offered === undefined) return;
  const acceptable = acceptableExtensions(offered);
  if (acceptable === undefined) delete headers[name];
  else headers[name] = acceptable;
}

/** Removes an empty sub-protocol header, which some clients send; `ws` would answer 400. */
function offerNothingEmpty({ headers }: IncomingMessage): void {
  if (headers['sec-websocket-protocol']?.trim() === '') delete headers['sec-websocket-protocol'];
}

/** Converts a limit for `ws`, where 0 means unlimited. */
function unlimitedAsZero(limit: number): number {
  return limit === Infinity ? 0 : limit;
}
