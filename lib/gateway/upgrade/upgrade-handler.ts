import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { FurtherServers } from '../../delivery/further-servers.js';
import { NodeDrain } from '../../delivery/node-drain.js';
import { NodeMeter } from '../../delivery/node-meter.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Authenticated } from '../../ports/authenticator.js';
import { RealtimeTracing, type RealtimeTracer } from '../../ports/realtime-tracing.js';
import type { Codec } from '../../ports/codec.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands, type FirstOutcome } from '../auth/auth-commands.js';
import { Handshake, NO_TOKEN, refusalBecauseOf } from '../auth/handshake.js';
import { loggedPathOf, pathOfTarget, prefixedPath, selectCodec } from '../../core/protocol/upgrade-offers.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { refuseCollidingGateways } from './colliding-gateways.js';
import { UpgradeAdmission, type WaitingPlace } from './upgrade-admission.js';
import { refuse } from './http-refusal.js';
import { RealtimeGateway } from '../realtime.gateway.js';
import { ServedCodecs, type PathCodecs } from '../served-codecs.js';
import { RequestHeads } from './request-heads.js';
import { isUnserved } from './unserved-path.js';
import { UpgradeRouter, type UpgradeRoute } from './upgrade-router.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const NOT_FOUND: Refusal = { status: 404, message: 'No WebSocket is served at this path.' };
/** The delay that a user with too many connections is told before trying again, in seconds. */
const USER_FULL_RETRY_S = 5;
/** An upgrade, with the verification of its token, takes as long as so many commands. */
const UPGRADE_STEPS = 4;
/** Most newcomers that wait for their turn; they have no place yet, which is what bounds them otherwise. */
const MAX_WAITING = 1_000;
const DRAINING = refusalOf('UNAVAILABLE', 'The server is shutting down; try again.', 1);

/** Takes upgrade requests for the package's paths from the HTTP servers, judges them, and completes or refuses the upgrade. */
@Injectable()
export class UpgradeHandler implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #logger = new SafeLogger(UpgradeHandler.name);
  readonly #router = new UpgradeRouter();
  readonly #heads = new Map<Server, RequestHeads>();
  /** Sockets whose request is being judged, each with the request. */
  readonly #pending = new Map<Duplex, IncomingMessage>();
  /** The codecs of each served path; known once the application is initialised. */
  #served: ReadonlyMap<string, PathCodecs> | undefined;
  #isClosed = false;
  /** The number of newcomers that wait for their turn. */
  #waiting = 0;

  constructor(
    private readonly httpAdapterHost: HttpAdapterHost,
    private readonly config: ApplicationConfig,
    private readonly discovery: DiscoveryService,
    private readonly settings: RealtimeSettings,
    private readonly handshake: Handshake,
    private readonly authentication: AuthCommands,
    private readonly gateway: RealtimeGateway,
    private readonly codecs: ServedCodecs,
    private readonly drain: NodeDrain,
    private readonly admission: UpgradeAdmission,
    furtherServers: FurtherServers,
    private readonly meter: NodeMeter,
    private readonly tracing: RealtimeTracing,
  ) {
    furtherServers.acceptedBy((server) => this.#acceptFrom(server));
    // An HTTP server closes only after its last socket, and a token verifier may be slow.
    drain.onStart(() => {
      for (const [socket, request] of this.#pending) this.#refuse(request, socket, DRAINING);
      this.#pending.clear();
    });
  }

  onModuleInit(): void {
    // A standalone application context has no HTTP server and therefore no connections.
    const server = this.httpAdapterHost.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server) return;
    const served = this.#servedPaths();
    refuseCollidingGateways(this.discovery.getProviders(), this.config.getIoAdapter(), new Set(served.keys()));
    this.#logger.log(`Accepting WebSockets at ${[...served.keys()].join(' and ')}`);
    this.#served = served;
    this.#route(server);
  }

  /** Runs after the connections are drained and before the HTTP server closes. */
  beforeApplicationShutdown(): void {
    for (const heads of this.#heads.values()) heads.endWhenClosing();
  }

  onApplicationShutdown(): void {
    this.#isClosed = true;
    for (const heads of this.#heads.values()) heads.stop();
    this.#router.uninstall();
  }

  #acceptFrom(server: Server): () => void {
    if (this.#isClosed) throw new RealtimeError('UNAVAILABLE', 'The application has been closed.');
    const own: unknown = this.httpAdapterHost.httpAdapter?.getHttpServer();
    return server === own ? () => undefined : this.#route(server);
  }

  #route(server: Server): () => void {
    const heads = this.#heads.get(server) ?? new RequestHeads(server);
    this.#heads.set(server, heads);
    const route: UpgradeRoute = (request, socket, head) => {
      const { url: target = '', headers } = request;
      const asked = pathOfTarget(target);
      const codecs = this.#served?.get(asked);
      const codec = codecs && selectCodec(codecs, headers['sec-websocket-protocol'], target);
      if (codec) void this.#enter(request, socket, head, codec);
      else if (this.#isUnserved(server, asked)) this.#refuse(request, guarded(socket), NOT_FOUND);
      else return false;
      return true;
    };
    const uninstall = this.#router.install(server, route, (event, args) => heads.observe(event, args));
    return () => {
      uninstall();
      heads.stop();
      if (this.#heads.get(server) === heads) this.#heads.delete(server);
    };
  }

  #isUnserved(server: Server, path: string): boolean {
    return isUnserved(server, path, this.config.getIoAdapter(), this.#router.listenersOn(server));
  }

  #servedPaths(): ReadonlyMap<string, PathCodecs> {
    const { byPath } = this.codecs;
    const prefix = this.settings.useGlobalPrefix ? this.config.getGlobalPrefix() : '';
    return new Map(Array.from(byPath, ([path, codecs]) => [prefixedPath(prefix, path), codecs]));
  }

  async #enter(request: IncomingMessage, socket: Duplex, head: Buffer, codec: Codec): Promise<void> {
    guarded(socket);
    const { tracer } = this.tracing;
    if (tracer !== undefined) return this.#enterTraced(tracer, request, socket, head, codec);
    try {
      const refusal = await this.#judge(request, socket, head, codec);
      if (refusal) this.#refuse(request, socket, refusal);
    } catch (error) {
      this.#logger.error('An upgrade request failed', (error as Error)?.stack);
      socket.destroy();
    }
  }

  async #enterTraced(
    tracer: RealtimeTracer,
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    codec: Codec,
  ): Promise<void> {
    const attributes = { 'realtime.protocol': codec.name };
    const { traceparent } = request.headers;
    const parent = typeof traceparent === 'string' ? traceparent : undefined;
    const span = tracer.start({ kind: 'upgrade', name: 'upgrade', attributes, parent });
    let status: number | undefined;
    try {
      const refusal = await span.run(() => this.#judge(request, socket, head, codec, span.traceparent));
      status = refusal?.status ?? (socket.destroyed || socket.writableEnded ? undefined : 101);
      if (refusal) this.#refuse(request, socket, refusal);
    } catch (error) {
      status = 500;
      this.#logger.error('An upgrade request failed', (error as Error)?.stack);
      socket.destroy();
    }
    if (status === undefined) return span.end();
    span.end({ 'http.response.status_code': status, ...(status >= 500 && { 'error.type': `${status}` }) });
  }

  /** Completes the upgrade of a request or returns its refusal; cheap checks come first. */
  async #judge(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    codec: Codec,
    trace?: string,
  ): Promise<Refusal | undefined> {
    if (this.drain.isDraining) return DRAINING;
    const client = this.admission.clientOf(request);
    const unread = this.handshake.refusalUnread(request, client);
    if (unread) return this.admission.turnAway(client, unread);
    const sent = this.#tokenOf(request);
    if (sent && typeof sent === 'object' && 'status' in sent) {
      return sent.code === 'UNAVAILABLE' ? sent : this.admission.turnAway(client, sent);
    }
    const { clientOpens = false } = codec;
    const isOptional = clientOpens || this.settings.token.firstCommand;
    if (sent === undefined && !isOptional) return this.admission.turnAway(client, NO_TOKEN);
    const turn = this.#itsTurn();
    if (turn) {
      // It takes no place yet: a crowd behind one address would fill the places of that address.
      await turn;
      if (socket.destroyed) return undefined;
      if (this.drain.isDraining) return DRAINING;
    }
    // If the client sends the first command, its request's token is not verified: it must not take a place reserved for tokens.
    const guest = sent === undefined || clientOpens ? 'anonymous' : 'token';
    // All requests being judged may still be admitted.
    const place = this.admission.enter(client, this.gateway.connectionCount + this.#pending.size, guest);
    if ('status' in place) return place;
    const leave = () => void place.settle('refused');
    socket.on('close', leave);
    this.#pending.set(socket, request);
    const address = client.address || undefined;
    const info: ConnectInfo = { purpose: 'connect', request, ...(address && { address }) };
    const { turns } = this.gateway.turns;
    const admitted = await this.#authenticate(sent, isOptional, clientOpens, info);
    // Verifications that take several turns may all end in one.
    if (turns !== this.gateway.turns.turns) await this.#itsTurn();
    // The client has left, or was told that the server is shutting down.
    if (!this.#pending.delete(socket) || socket.destroyed) return undefined;
    if ('status' in admitted) {
      place.settle(admitted.code === 'UNAVAILABLE' ? 'unknown' : 'refused');
      return admitted;
    }
    const { authenticated, token } = admitted;
    const full = authenticated && this.authentication.fullFor(authenticated.identity.userId);
    if (full) {
      leave();
      return { ...full, status: 429, retryAfterS: USER_FULL_RETRY_S };
    }
    const busy = authenticated && place.settle('verified', authenticated.identity.userId);
    if (busy) return busy;
    if (authenticated) socket.off('close', leave);
    // From here on, ws listens for errors.
    socket.off('error', destroy);
    const admission = authenticated ?? { token, info, judged: (outcome: FirstOutcome) => judged(place, outcome) };
    this.gateway.upgrade(request, socket, head, codec, admission, address, trace);
    return undefined;
  }

  /**
   * Newcomers who all come at once are let in over several turns of the event loop, so that others are served in between.
   * @returns a promise if this one has to wait for its turn; when too many wait, nobody else does
   */
  #itsTurn(): Promise<void> | undefined {
    const { turns } = this.gateway;
    if (this.#waiting >= MAX_WAITING || !turns.isOver(UPGRADE_STEPS)) return undefined;
    this.#waiting += 1;
    return turns.next().then(() => void (this.#waiting -= 1));
  }

  #tokenOf(request: IncomingMessage): ReturnType<Handshake['tokenOf']> | Refusal {
    try {
      const sent = this.handshake.tokenOf(request);
      // It is awaited when the request has its turn.
      if (typeof sent === 'object') sent.catch(() => undefined);
      return sent;
    } catch (error) {
      return refusalBecauseOf(error);
    }
  }

  /** Authenticates a request, unless its first command has to. */
  async #authenticate(
    sent: ReturnType<Handshake['tokenOf']>,
    isOptional: boolean,
    clientOpens: boolean,
    info: ConnectInfo,
  ): Promise<{ readonly authenticated?: Authenticated; readonly token: string | undefined } | Refusal> {
    try {
      const token = typeof sent === 'object' ? await sent : sent;
      if (clientOpens || (token === undefined && isOptional)) return { token };
      return token === undefined ? NO_TOKEN : { token, authenticated: await this.handshake.authenticate(token, info) };
    } catch (error) {
      return refusalBecauseOf(error);
    }
  }

  #refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal): void {
    const { status, reason = refusal.message } = refusal;
    const path = loggedPathOf(request.url ?? '');
    const { address } = this.admission.clientOf(request);
    this.#logger.debug(`Upgrade refused with ${status}: ${reason} (${address}, ${path})`);
    this.meter.upgraded(status);
    this.meter.journal.refused(refusal, { address });
    refuse(socket, refusal);
  }
}

/** Settles the place of a client whose first command carried a token; the node's capacity is checked last. */
function judged(place: WaitingPlace, outcome: FirstOutcome): FirstOutcome {
  if (!outcome.ok) {
    place.settle(outcome.error.code === 'UNAVAILABLE' ? 'unknown' : 'refused');
    return outcome;
  }
  const busy = place.settle('verified', outcome.authenticated.identity.userId);
  if (!busy) return outcome;
  const { code = 'UNAVAILABLE', message, retryAfterS = 1 } = busy;
  const error = { code, action: 'auth', message, retryAfterMs: retryAfterS * 1_000 } as const;
  return { ok: false, error, closeCode: code === 'RATE_LIMITED' ? 'TOO_MANY_REQUESTS' : 'SERVER_ERROR' };
}

/** A socket may fail at any moment while its request is judged; an `error` event without a listener would end the process. */
function guarded(socket: Duplex): Duplex {
  return socket.on('error', destroy);
}

function destroy(this: Duplex): void {
  this.destroy();
}
