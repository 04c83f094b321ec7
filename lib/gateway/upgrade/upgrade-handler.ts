import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { AdmissionControl, type AdmissionVerdict } from '../../core/connection/admission.js';
import { FurtherServers } from '../../delivery/further-servers.js';
import { NodeDrain } from '../../delivery/node-drain.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { Clock } from '../../ports/clock.js';
import type { Codec } from '../../ports/codec.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { AuthCommands } from '../auth/auth-commands.js';
import { Handshake, refusalBecauseOf } from '../auth/handshake.js';
import { refusalOf, type Refusal } from '../../core/protocol/upgrade-refusal.js';
import { refuseCollidingGateways } from './colliding-gateways.js';
import { refuse } from './http-refusal.js';
import { ProxyTrust } from './proxy-trust.js';
import { RealtimeGateway } from '../realtime.gateway.js';
import { ServedCodecs } from '../served-codecs.js';
import { isUnserved } from './unserved-path.js';
import { UpgradeRouter } from './upgrade-router.js';
import { SafeLogger } from '../../errors/safe-logger.js';

const NOT_FOUND: Refusal = { status: 404, message: 'No WebSocket is served at this path.' };
const USER_FULL: Refusal = {
  status: 429,
  code: 'LIMIT_EXCEEDED',
  message: 'The user has as many connections as one may have.',
  retryAfterS: 5,
};
const DRAINING = refusalOf('UNAVAILABLE', 'The server is shutting down; try again.', 1);

/** The door: takes upgrade requests for our paths off the HTTP server, has them judged, and lets them in or answers why not. */
@Injectable()
export class UpgradeHandler implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new SafeLogger(UpgradeHandler.name);
  readonly #router = new UpgradeRouter();
  readonly #proxies: ProxyTrust;
  readonly #admission: AdmissionControl;
  /** Sockets that are being judged. */
  readonly #pending = new Set<Duplex>();
  /** What is spoken at which path; known once the application is initialised. */
  #served: ReadonlyMap<string, Codec> | undefined;
  #isClosed = false;

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
    private readonly clock: Clock,
    furtherServers: FurtherServers,
  ) {
    furtherServers.acceptedBy((server) => this.#acceptFrom(server));
    this.#proxies = new ProxyTrust(settings.trustProxy);
    this.#admission = new AdmissionControl(settings.limits, clock.now());
    // An HTTP server does not close before its last socket, and a verifier may take its time.
    drain.onStart(() => {
      for (const socket of this.#pending) refuse(socket, DRAINING);
      this.#pending.clear();
    });
  }

  onModuleInit(): void {
    // A standalone application context has no HTTP server, and so no connections.
    const server = this.httpAdapterHost.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server) return;
    const served = this.#servedPaths();
    refuseCollidingGateways(this.discovery.getProviders(), this.config.getIoAdapter(), new Set(served.keys()));
    this.#logger.log(`WebSockets are accepted at ${[...served.keys()].join(' and ')}`);
    this.#served = served;
    this.#route(server);
  }

  onApplicationShutdown(): void {
    this.#isClosed = true;
    this.#router.uninstall();
  }

  #acceptFrom(server: Server): () => void {
    if (this.#isClosed) throw new RealtimeError('UNAVAILABLE', 'The application has been closed.');
    const own: unknown = this.httpAdapterHost.httpAdapter?.getHttpServer();
    return server === own ? () => undefined : this.#route(server);
  }

  #route(server: Server): () => void {
    return this.#router.install(server, (request, socket, head) => {
      const asked = pathOf(request);
      const codec = this.#served?.get(asked);
      if (codec) void this.#enter(request, socket, head, codec);
      else if (this.#isUnserved(server, asked)) refuse(guarded(socket), NOT_FOUND);
      else return false;
      return true;
    });
  }

  #isUnserved(server: Server, path: string): boolean {
    return isUnserved(server, path, this.config.getIoAdapter(), this.#router.listenersOn(server));
  }

  #servedPaths(): ReadonlyMap<string, Codec> {
    const { byPath } = this.codecs;
    const prefix = this.settings.useGlobalPrefix ? this.config.getGlobalPrefix() : '';
    if (prefix === '') return byPath;
    return new Map(Array.from(byPath, ([path, codec]) => [`/${prefix.replace(/^\/|\/$/g, '')}${path}`, codec]));
  }

  async #enter(request: IncomingMessage, socket: Duplex, head: Buffer, codec: Codec): Promise<void> {
    guarded(socket);
    try {
      if (this.drain.isDraining) return refuse(socket, DRAINING);
      const { address, host } = this.#proxies.clientAddressOf(request);
      // Those that are being judged may all be let in.
      const connections = this.gateway.connectionCount + this.#pending.size;
      const token = await this.handshake.tokenOf(request);
      const { clientOpens = false } = codec;
      // Nobody looks at the token of one who speaks first; it must not take the place of one that is being verified.
      const guest = token === undefined || clientOpens ? 'anonymous' : 'token';
      const verdict = this.#admission.arrive(address, connections, this.clock.now(), guest);
      if (!verdict.admitted) return refuse(socket, crowded(verdict));
      const leave = once(() => this.#admission.settle(address, guest));
      socket.once('close', leave);
      this.#pending.add(socket);
      const outcome = await this.handshake.judge(request, host, token, clientOpens);
      if (!this.#pending.delete(socket) || socket.destroyed) return;
      if (!outcome.accepted) return refuse(socket, outcome.refusal);
      const { authenticated } = outcome;
      if (authenticated && this.authentication.isFullFor(authenticated.identity.userId))
        return refuse(socket, USER_FULL);
      if (authenticated) {
        socket.off('close', leave);
        leave();
      }
      // From here on ws listens.
      socket.off('error', destroy);
      this.gateway.upgrade(request, socket, head, codec, authenticated ?? { onAuthenticated: leave, token });
    } catch (error) {
      if (error instanceof RealtimeError) return refuse(socket, refusalBecauseOf(error));
      this.#logger.error('An upgrade request failed', (error as Error)?.stack);
      socket.destroy();
    }
  }
}

function crowded({ refusal, retryAfterMs }: Extract<AdmissionVerdict, { admitted: false }>): Refusal {
  const retryAfterS = Math.ceil(retryAfterMs / 1000);
  switch (refusal) {
    case 'too-many-from-address':
      return {
        status: 429,
        code: 'RATE_LIMITED',
        message: 'Too many connections are being opened at once.',
        retryAfterS,
      };
    case 'node-full':
    case 'too-fast':
    case 'too-many-unauthenticated':
      return refusalOf('UNAVAILABLE', 'The server takes no more connections at the moment.', retryAfterS);
  }
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}

/** A socket may break at any moment while it is being judged; an unheard `error` would end the process. */
function guarded(socket: Duplex): Duplex {
  return socket.on('error', destroy);
}

function destroy(this: Duplex): void {
  this.destroy();
}

/** Proxies may send the whole URL, and servers must take it (RFC 9112, 3.2.2). */
function pathOf({ url = '' }: IncomingMessage): string {
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*/i, '');
  const end = target.indexOf('?');
  return end < 0 ? target : target.slice(0, end);
}
