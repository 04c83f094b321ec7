import type { WebSocketAdapter } from '@nestjs/common';
import type { Server } from 'node:http';

/** The part of Nest's `WsAdapter` that lists its servers by port; port 0 means the application's HTTP server. */
interface ListsServers {
  readonly wsServersRegistry?: ReadonlyMap<number, readonly { readonly path?: string }[]>;
}

/** The servers that a `WsAdapter` has attached to the application's HTTP server; `undefined` for any other adapter. */
export function wsServersOf(adapter: WebSocketAdapter | undefined): readonly { readonly path?: string }[] | undefined {
  const registry = (adapter as ListsServers | undefined)?.wsServersRegistry;
  return registry instanceof Map ? (registry.get(0) as readonly { path?: string }[] | undefined) : undefined;
}

/**
 * True if no other listener answers an upgrade request for this path: there is none, or only `WsAdapter`, which destroys the
 * sockets of paths that it does not serve.
 * @param ownListeners the number of the server's `upgrade` listeners that belong to the package
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
