import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** The exports of the package `@nestjs/terminus`. */
export type Terminus = typeof import('@nestjs/terminus');

/**
 * Loads `@nestjs/terminus`, an optional peer dependency.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError if it is not installed, with the command that installs it
 */
export async function loadTerminus(
  load: () => Promise<Terminus> = () => import('@nestjs/terminus'),
): Promise<Terminus> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError(
      'nestjs-realtime/terminus needs the package @nestjs/terminus: run "npm i @nestjs/terminus"',
      { cause },
    );
  }
}
