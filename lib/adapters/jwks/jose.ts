import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** What the package `jose` exports. */
export type Jose = typeof import('jose');

/**
 * Loads `jose`, which is an optional peer: applications with keys of their own need not install it.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError with the cure, when it is not installed
 */
export async function loadJose(load: () => Promise<Jose> = () => import('jose')): Promise<Jose> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError('nestjs-realtime/jwks needs the package jose: run "npm i jose@6"', { cause });
  }
}
