import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Takes an upgrade request; returns false to leave it to the other listeners of the server. */
export type UpgradeRoute = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Told of every event of a server, before its listeners are. */
export type ServerObserver = (event: string | symbol, args: readonly unknown[]) => void;

/**
 * Puts a route before all `upgrade` listeners of an HTTP server, those that were added before and those that come later.
 *
 * A listener of our own beside them would not do: `WsAdapter` destroys sockets whose path it does not know, and socket.io
 * ends them after a second, so neither may see a request that we are still deciding on.
 */
export class UpgradeRouter {
  readonly #uninstall = new Map<Server, () => void>();

  /** How many `upgrade` listeners of a server are the router's own. */
  listenersOn(server: Server): number {
    return this.#uninstall.has(server) ? 1 : 0;
  }

  /**
   * Installs the route on one more server. Doing so twice changes nothing.
   * @param observe told of every event of the server while the route is installed
   * @returns takes it off that server again
   */
  install(server: Server, route: UpgradeRoute, observe?: ServerObserver): () => void {
    const installed = this.#uninstall.get(server);
    if (installed) return installed;
    // oxlint-disable-next-line typescript/unbound-method -- it is called with the server as `this`
    const { emit } = server;
    const routed = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
      if (active) observe?.(event, args);
      if (event === 'upgrade' && active && route(...(args as Parameters<UpgradeRoute>))) return true;
      return Reflect.apply(emit, this, [event, ...args]) as boolean;
    };
    let active = true;
    server.emit = routed as typeof server.emit;
    // Node emits `upgrade` only while somebody listens.
    const listen = () => undefined;
    server.on('upgrade', listen);
    const uninstall = () => {
      if (this.#uninstall.get(server) !== uninstall) return;
      this.#uninstall.delete(server);
      active = false;
      server.off('upgrade', listen);
      // Somebody may have wrapped it once more since.
      if (server.emit === (routed as typeof server.emit)) server.emit = emit;
    };
    this.#uninstall.set(server, uninstall);
    return uninstall;
  }

  /** Takes the route off all servers. */
  uninstall(): void {
    for (const uninstall of this.#uninstall.values()) uninstall();
  }
}
