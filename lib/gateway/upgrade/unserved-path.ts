import type { WebSocketAdapter } from '@nestjs/common';
import type { Server } from 'node:http';

/** The part of Nest's `WsAdapter` that lists its servers by port; those of the application's HTTP server stand under 0. */
interface ListsServers {
  readonly wsServersRegistry?: ReadonlyMap<number, readonly { readonly path?: string }[]>;
}

/** The servers that a `WsAdapter` has put behind the application's HTTP server; `undefined` for any other adapter. */
export function wsServersOf(adapter: WebSocketAdapter | undefined): readonly { readonly path?: string }[] | undefined {
  const registry = (adapter as ListsServers | undefined)?.wsServersRegistry;
  return registry instanceof Map ? (registry.get(0) as readonly { path?: string }[] | undefined) : undefined;
}

/**
 * True when no other listener answers an upgrade request for this path: there is none, or there is only `WsAdapter`, which
 * destroys the sockets of paths that it does not know.
 * @param ownListeners how many of the server's `upgrade` listeners are the package's own
 */
export function isUnserved(
  server: Server,
  path: string,
  adapter: WebSocketAdapter | undefined,
  ownListeners: number,
): boolean {
  const others = server.listenerCount('upgrade') - ownListeners;
  if (others > 1) return false;
  return others === 0 || (wsServersOf(adapter)?.every((each) => each.path !== path) ?? false);
}
