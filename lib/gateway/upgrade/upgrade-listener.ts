import {
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryService, HttpAdapterHost } from '@nestjs/core';
import type { Server } from 'node:http';
import { pathOfTarget, prefixedPath, selectCodec } from '../../core/protocol/upgrade-offers.js';
import type { Refusal } from '../../core/protocol/upgrade-refusal.js';
import { FurtherServers } from '../../delivery/further-servers.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { SafeLogger } from '../../errors/safe-logger.js';
import { RealtimeSettings } from '../../options/realtime.options.js';
import { ServedCodecs, type PathCodecs } from '../served-codecs.js';
import { refuseCollidingGateways } from './colliding-gateways.js';
import { RequestHeads } from './request-heads.js';
import { isUnserved } from './unserved-path.js';
import { UpgradeHandler } from './upgrade-handler.js';
import { UpgradeRouter, type UpgradeRoute } from './upgrade-router.js';

const NOT_FOUND: Refusal = { status: 404, message: 'No WebSocket is served at this path.' };

/** Takes the upgrade requests for the package's paths from the HTTP servers, and hands them to `UpgradeHandler`. */
@Injectable()
export class UpgradeListener implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #logger = new SafeLogger(UpgradeListener.name);
  readonly #router = new UpgradeRouter();
  readonly #heads = new Map<Server, RequestHeads>();
  /** The codecs of each served path; known once the application is initialised. */
  #served: ReadonlyMap<string, PathCodecs> | undefined;
  #isClosed = false;

  constructor(
    private readonly httpAdapterHost: HttpAdapterHost,
    private readonly config: ApplicationConfig,
    private readonly discovery: DiscoveryService,
    private readonly settings: RealtimeSettings,
    private readonly codecs: ServedCodecs,
    private readonly handler: UpgradeHandler,
    furtherServers: FurtherServers,
  ) {
    furtherServers.acceptedBy((server) => this.#acceptFrom(server));
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
      if (codec) this.handler.handle({ request, socket, head, codec });
      else if (this.#isUnserved(server, asked)) this.handler.refuse(request, socket, NOT_FOUND);
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
}
