import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';

/** The exports of the package `@opentelemetry/api`. */
export type OtelApi = typeof import('@opentelemetry/api');

/**
 * Loads `@opentelemetry/api`, an optional peer dependency.
 * @param load replaced in tests
 * @throws RealtimeConfigurationError if it is not installed, with the command that installs it
 */
export async function loadOtelApi(load: () => Promise<OtelApi> = () => import('@opentelemetry/api')): Promise<OtelApi> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new RealtimeConfigurationError(
      'nestjs-realtime/otel needs the package @opentelemetry/api: run "npm i @opentelemetry/api@1"',
      { cause },
    );
  }
}
