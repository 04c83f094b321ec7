import type { FactoryProvider } from '@nestjs/common';
import { Clock } from '../../ports/clock.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import type { JwksOptions } from './jwks-options.js';
import { JwksVerifier } from './jwks-verifier.js';

/**
 * Options that are computed with injected providers, such as a `ConfigService`.
 * @publicApi
 */
export type JwksAsyncOptions = Pick<FactoryProvider<JwksOptions | readonly JwksOptions[]>, 'inject' | 'useFactory'>;

/**
 * Returns a provider that verifies tokens with the published keys of identity providers:
 * `RealtimeModule.forRoot({ providers: [jwksVerifier({ issuer, jwksUrl, algorithms: ['RS256'] })] })`. Needs the package
 * `jose`. An invalid option stops the boot with a `RealtimeConfigurationError`.
 * @param options options of one provider, of several, or `{ inject, useFactory }`
 * @publicApi
 */
export function jwksVerifier(
  options: JwksOptions | readonly JwksOptions[] | JwksAsyncOptions,
): FactoryProvider<JwksVerifier> {
  const { inject = [], useFactory } = 'useFactory' in options ? options : { useFactory: () => options };
  return {
    provide: JwtVerifier,
    inject: [Clock, ...inject],
    useFactory: async (clock: Clock, ...dependencies: unknown[]) =>
      JwksVerifier.create(await useFactory(...dependencies), clock),
  };
}
