import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { RealtimeSettings } from '../realtime.options.js';
import { Handshake } from './handshake.js';
import { refusalOf, refuse, type Refusal } from './http-refusal.js';
import { RealtimeGateway } from './realtime.gateway.js';
import type { RealtimeWsAdapter } from './realtime-ws.adapter.js';
import { UpgradeRouter } from './upgrade-router.js';

const NOT_FOUND: Refusal = { status: 404, message: 'No WebSocket is served at this path.' };
const DRAINING = refusalOf('UNAVAILABLE', 'The server is shutting down; try again.', 1);

/** The door: takes upgrade requests for our path off the HTTP server, has them judged, and lets them in or answers why not. */
@Injectable()
export class UpgradeEntrance implements OnModuleInit, OnApplicationShutdown {
  readonly #logger = new Logger(UpgradeEntrance.name);
  readonly #router = new UpgradeRouter();

  constructor(
    private readonly httpAdapterHost: HttpAdapterHost,
    private readonly config: ApplicationConfig,
    private readonly settings: RealtimeSettings,
    private readonly handshake: Handshake,
    private readonly gateway: RealtimeGateway,
  ) {}

  onModuleInit(): void {
    // A standalone application context has no HTTP server, and so no connections.
    const server = this.httpAdapterHost.httpAdapter?.getHttpServer() as Server | undefined;
    if (!server) return;
    const adapter = this.config.getIoAdapter() as RealtimeWsAdapter;
    const path = this.#path();
    this.#router.install(server, (request, socket, head) => {
      const asked = pathOf(request);
      if (asked === path) void this.#enter(request, socket, head);
      else if (adapter.wouldDrop(server, asked)) refuse(guarded(socket), NOT_FOUND);
      else return false;
      return true;
    });
  }

  onApplicationShutdown(): void {
    this.#router.uninstall();
  }

  #path(): string {
    const { path, useGlobalPrefix } = this.settings;
    const prefix = useGlobalPrefix ? this.config.getGlobalPrefix() : '';
    return prefix === '' ? path : `/${prefix.replace(/^\/|\/$/g, '')}${path}`;
  }

  async #enter(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    guarded(socket);
    try {
      if (this.gateway.isDraining) return refuse(socket, DRAINING);
      const admission = await this.handshake.admit(request);
      if (socket.destroyed) return;
      if (!admission.admitted) return refuse(socket, admission.refusal);
      if (this.gateway.isDraining) return refuse(socket, DRAINING);
      this.gateway.upgrade(request, socket, head, admission.authenticated);
    } catch (error) {
      this.#logger.error('An upgrade request failed', (error as Error)?.stack);
      socket.destroy();
    }
  }
}

/** A socket may break at any moment while it is being judged; an unheard `error` would end the process. */
function guarded(socket: Duplex): Duplex {
  return socket.on('error', () => socket.destroy());
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0]!;
}
