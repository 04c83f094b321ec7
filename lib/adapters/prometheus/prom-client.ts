import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** The exports of the package `prom-client`. */
export type PromClient = typeof import('prom-client');

/**
 * Loads `prom-client`, an optional peer dependency.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError if it is not installed, with the command that installs it
 */
export async function loadPromClient(
  load: () => Promise<PromClient> = () => import('prom-client'),
): Promise<PromClient> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError(
      'nestjs-realtime/prometheus needs the package prom-client: run "npm i prom-client@15"',
      { cause },
    );
  }
}
