import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Takes an upgrade request; returns false to leave it to the other listeners of the server. */
export type UpgradeRoute = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

/**
 * Puts a route before all `upgrade` listeners of an HTTP server, those that were added before and those that come later.
 *
 * A listener of our own beside them would not do: `WsAdapter` destroys sockets whose path it does not know, and socket.io
 * ends them after a second, so neither may see a request that we are still deciding on.
 */
export class UpgradeRouter {
  #restore: (() => void) | undefined;

  install(server: Server, route: UpgradeRoute): void {
    // oxlint-disable-next-line typescript/unbound-method -- it is called with the server as `this`
    const { emit } = server;
    const routed = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
      if (event === 'upgrade' && route(...(args as Parameters<UpgradeRoute>))) return true;
      return Reflect.apply(emit, this, [event, ...args]) as boolean;
    };
    server.emit = routed as typeof server.emit;
    // Node emits `upgrade` only while somebody listens.
    const listen = () => undefined;
    server.on('upgrade', listen);
    this.#restore = () => {
      server.off('upgrade', listen);
      if (server.emit === (routed as typeof server.emit)) server.emit = emit;
    };
  }

  uninstall(): void {
    this.#restore?.();
    this.#restore = undefined;
  }
}
