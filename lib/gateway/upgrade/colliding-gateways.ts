import type { WebSocketAdapter } from '@nestjs/common';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { wsServersOf } from './unserved-path.js';

/** The metadata that `@WebSocketGateway()` sets on a class. */
const GATEWAY_METADATA = 'websockets:is_gateway';
const GATEWAY_OPTIONS = 'websockets:gateway_options';
const PORT_METADATA = 'port';

/** The part of a provider listed by `DiscoveryService` that is read here. */
export interface DiscoveredProvider {
  readonly isNotMetatype: boolean;
  readonly metatype: Function | null;
}

/**
 * Refuses a `@WebSocketGateway()` of the application that the same HTTP server serves at one of the package's paths, because
 * no client would ever reach it.
 * @param adapter the adapter that serves the application's gateways
 * @throws RealtimeConfigurationError that names the class, the path and the cure
 */
export function refuseCollidingGateways(
  providers: readonly DiscoveredProvider[],
  adapter: WebSocketAdapter | undefined,
  paths: ReadonlySet<string>,
): void {
  const defaultPath = wsServersOf(adapter) ? '/' : '/socket.io';
  for (const { isNotMetatype, metatype } of providers) {
    if (isNotMetatype || !metatype || Reflect.getMetadata(GATEWAY_METADATA, metatype) !== true) continue;
    if (Reflect.getMetadata(PORT_METADATA, metatype)) continue;
    const options = Reflect.getMetadata(GATEWAY_OPTIONS, metatype) as { path?: unknown } | undefined;
    const path = normalized(typeof options?.path === 'string' ? options.path : defaultPath);
    if (!paths.has(path)) continue;
    throw new RealtimeConfigurationError(
      `${metatype.name}: @WebSocketGateway() is served at ${path}, which is a path of RealtimeModule. Give one of them ` +
        `another path, for example @WebSocketGateway({ path: '${path === '/' ? '' : path}/own' }) or ` +
        "RealtimeModule.forRoot({ path: '/realtime' }).",
    );
  }
}

/** Normalises a path as both adapters of Nest do: one leading slash, none at the end. */
function normalized(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, '')}`;
}
