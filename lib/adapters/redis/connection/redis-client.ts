import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';

/** The exports of the package `@redis/client`. */
export type RedisModule = typeof import('@redis/client');

/**
 * Loads `@redis/client`, which is an optional peer: applications with one node need not install it.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError with the cure, when it is not installed
 */
export async function loadRedis(
  load: () => Promise<RedisModule> = () => import('@redis/client'),
): Promise<RedisModule> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError(
      'nestjs-realtime/redis needs the package @redis/client: run "npm i @redis/client@6"',
      { cause },
    );
  }
}
