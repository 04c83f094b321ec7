import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** The exports of the package `jose`. */
export type Jose = typeof import('jose');

/**
 * Loads `jose`, an optional peer dependency, which only applications that use JWKS need to install.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError if it is not installed, with the command that installs it
 */
export async function loadJose(load: () => Promise<Jose> = () => import('jose')): Promise<Jose> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError('nestjs-realtime/jwks needs the package jose: run "npm i jose@6"', { cause });
  }
}
