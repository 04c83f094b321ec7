import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import type { RealtimeBackend } from '../../ports/backend.js';
import { HistoryStore } from '../../ports/history-store.js';
import { IdGenerator } from '../../ports/id-generator.js';
import { MessageBus } from '../../ports/message-bus.js';
import { NodeDirectory } from '../../ports/node-directory.js';
import { PresenceStore } from '../../ports/presence-store.js';
import { RedisAssembly } from './redis-assembly.js';
import type { RedisBackendOptions } from './connection/redis-options.js';

/**
 * Options that have to be asked for, such as from a `ConfigService`.
 * @publicApi
 */
export interface RedisBackendAsyncOptions extends Pick<FactoryProvider<RedisBackendOptions>, 'inject' | 'useFactory'> {
  /** Modules that export what is injected. */
  readonly imports?: ModuleMetadata['imports'];
}

/**
 * The backend for many nodes: they reach each other over Redis, and everything that is promised for one node holds for
 * all of them together, behind any load balancer.
 *
 * ```ts
 * RealtimeModule.forRoot({ jwt, backend: redisBackend({ url: 'redis://localhost:6379' }) });
 * ```
 *
 * Needs the package `@redis/client` and Redis 6 or newer, for a Redis Cluster 7 or newer. A wrong option stops the boot
 * with a `RealtimeConfigurationError`; Redis that cannot be reached stops it with a `RealtimeError` `UNAVAILABLE`, unless
 * `requireAtBoot` is false.
 * @param options directly, or `{ imports?, inject, useFactory }`
 * @publicApi
 */
export function redisBackend(options: RedisBackendOptions | RedisBackendAsyncOptions): RealtimeBackend {
  const { imports = [], inject = [], useFactory } = isAsync(options) ? options : { useFactory: () => options };
  return {
    name: 'redis',
    imports,
    providers: [
      {
        provide: RedisAssembly,
        inject: [IdGenerator, ...inject],
        useFactory: async (ids: IdGenerator, ...dependencies: unknown[]) =>
          RedisAssembly.create(await useFactory(...dependencies), ids),
      },
      { provide: MessageBus, inject: [RedisAssembly], useFactory: ({ bus }: RedisAssembly) => bus },
      { provide: NodeDirectory, inject: [RedisAssembly], useFactory: ({ directory }: RedisAssembly) => directory },
      { provide: HistoryStore, inject: [RedisAssembly], useFactory: ({ history }: RedisAssembly) => history },
      { provide: PresenceStore, inject: [RedisAssembly], useFactory: ({ presence }: RedisAssembly) => presence },
    ],
  };
}

function isAsync(options: object): options is RedisBackendAsyncOptions {
  return 'useFactory' in Object(options);
}
