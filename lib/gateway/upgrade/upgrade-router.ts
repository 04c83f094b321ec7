import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Takes an upgrade request; returns false to leave it to the other listeners of the server. */
export type UpgradeRoute = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/** Called for every event of a server, before its listeners. */
export type ServerObserver = (event: string | symbol, args: readonly unknown[]) => void;

/**
 * Puts a route in front of all `upgrade` listeners of an HTTP server, including listeners added later.
 *
 * An additional listener would not suffice: `WsAdapter` destroys sockets whose path it does not serve, and socket.io ends
 * them after a second, so neither may see a request that is still being judged.
 */
export class UpgradeRouter {
  readonly #uninstall = new Map<Server, () => void>();

  /** The number of the server's `upgrade` listeners that belong to the router. */
  listenersOn(server: Server): number {
    return this.#uninstall.has(server) ? 1 : 0;
  }

  /**
   * Installs the route on a server. Installing it again on the same server has no effect.
   * @param observe called for every event of the server while the route is installed
   * @returns a function that uninstalls the route from that server
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
    // Node emits `upgrade` only while there is a listener.
    const listen = () => undefined;
    server.on('upgrade', listen);
    const uninstall = () => {
      if (this.#uninstall.get(server) !== uninstall) return;
      this.#uninstall.delete(server);
      active = false;
      server.off('upgrade', listen);
      // Other code may have wrapped `emit` again since.
      if (server.emit === (routed as typeof server.emit)) server.emit = emit;
    };
    this.#uninstall.set(server, uninstall);
    return uninstall;
  }

  /** Uninstalls the route from all servers. */
  uninstall(): void {
    for (const uninstall of this.#uninstall.values()) uninstall();
  }
}
