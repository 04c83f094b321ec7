import type { INestApplicationContext, WebSocketAdapter, WsMessageHandler } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { WsAdapter } from '@nestjs/platform-ws';
import type { Server } from 'node:http';
import type { Observable } from 'rxjs';
import { GATEWAY_MARKER } from '../options/realtime.constants.js';
import { RealtimeGateway } from './realtime.gateway.js';

/**
 * What {@link RealtimeWsAdapter} may be told.
 * @publicApi
 */
export interface RealtimeWsAdapterOptions {
  /** Serves the application's own gateways, such as `new IoAdapter(app)`. Default: `WsAdapter` of `@nestjs/platform-ws`. */
  readonly fallback?: WebSocketAdapter;
}

type Callback = (...args: never[]) => unknown;

/**
 * The WebSocket adapter of applications that use this package. The module installs it by itself when the application has
 * set none; beside another adapter, say so in `main.ts`:
 *
 * ```ts
 * app.useWebSocketAdapter(new RealtimeWsAdapter(app, { fallback: new IoAdapter(app) }));
 * ```
 *
 * Nest's inbound path (one rxjs pipeline per connection, one per message) is not used for the package's own gateway; all
 * other gateways work as they do with the adapter it stands for.
 * @publicApi
 */
export class RealtimeWsAdapter extends WsAdapter {
  readonly #app: Pick<INestApplicationContext, 'get'>;
  readonly #fallback: WebSocketAdapter | undefined;
  readonly #paths = new Set<string>();

  constructor(app: Pick<INestApplicationContext, 'get'>, { fallback }: RealtimeWsAdapterOptions = {}) {
    super();
    this.#app = app;
    this.#fallback = fallback;
  }

  /** @internal */
  override set forceCloseConnections(value: boolean) {
    super.forceCloseConnections = value;
    if (this.#fallback) Object.assign(this.#fallback, { forceCloseConnections: value });
  }

  /** @internal */
  override get forceCloseConnections(): boolean {
    return super.forceCloseConnections;
  }

  /** @internal */
  override create(port: number, options: { path?: string } & Record<string, unknown> = {}): unknown {
    if (options.path === GATEWAY_MARKER) return this.#gateway.server;
    if (this.#fallback) return this.#fallback.create(port, options);
    // Under Express the HTTP server does not exist yet when the module installs this adapter.
    Object.assign(this, { httpServer: this.#app.get(HttpAdapterHost, { strict: false }).httpAdapter.getHttpServer() });
    return super.create(port, options);
  }

  /** @internal */
  override bindClientConnect(server: unknown, callback: Callback): void {
    if (this.#isOurs(server)) return;
    if (this.#fallback) this.#fallback.bindClientConnect(server, callback);
    else super.bindClientConnect(server, callback);
  }

  /** @internal */
  override bindClientDisconnect(client: unknown, callback: Callback): void {
    if (this.#fallback) this.#fallback.bindClientDisconnect?.(client, callback);
    else super.bindClientDisconnect(client, callback);
  }

  /** @internal */
  override bindMessageHandlers(
    client: unknown,
    handlers: WsMessageHandler[],
    transform: (data: unknown) => Observable<unknown>,
  ): void {
    if (this.#fallback) this.#fallback.bindMessageHandlers(client, handlers, transform);
    else super.bindMessageHandlers(client, handlers as never, transform);
  }

  /** @internal */
  override async close(server: unknown): Promise<void> {
    // Our own sockets were drained before; what is left of them the gateway ends.
    if (this.#isOurs(server)) return;
    if (this.#fallback) await this.#fallback.close(server);
    else await super.close(server);
  }

  /** @internal */
  override async dispose(): Promise<void> {
    await (this.#fallback as { dispose?: () => Promise<void> } | undefined)?.dispose?.();
    await super.dispose();
  }

  /**
   * True when nobody would answer an upgrade request for this path: there is no listener, or only `WsAdapter`, which
   * destroys the sockets of paths it does not know.
   * @internal
   */
  wouldDrop(server: Server, path: string): boolean {
    // One listener is the upgrade router's own.
    const others = server.listenerCount('upgrade') - 1;
    const onlyWsAdapter = others === 1 && this.httpServersRegistry.has(0);
    return others === 0 || (onlyWsAdapter && !this.#paths.has(path));
  }

  /** @internal */
  protected override addWsServerToRegistry(wsServer: { path: string }, port: number, path: string): void {
    super.addWsServerToRegistry(wsServer, port, path);
    // WsAdapter has put the path into the form that it compares.
    if (port === 0) this.#paths.add(wsServer.path);
  }

  get #gateway(): RealtimeGateway {
    return this.#app.get(RealtimeGateway, { strict: false });
  }

  #isOurs(server: unknown): boolean {
    return server === this.#gateway.server;
  }
}
