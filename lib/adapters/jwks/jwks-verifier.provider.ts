import type { FactoryProvider } from '@nestjs/common';
import { Clock } from '../../ports/clock.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import type { JwksOptions } from './jwks-options.js';
import { JwksVerifier } from './jwks-verifier.js';

/**
 * Options that have to be asked for, such as from a `ConfigService`.
 * @publicApi
 */
export type JwksAsyncOptions = Pick<FactoryProvider<JwksOptions | readonly JwksOptions[]>, 'inject' | 'useFactory'>;

/**
 * Makes the module verify tokens with the keys that identity providers publish:
 * `RealtimeModule.forRoot({ providers: [jwksVerifier({ issuer, jwksUrl, algorithms: ['RS256'] })] })`. Needs the package
 * `jose`. A wrong option stops the boot with a `RealtimeConfigurationError`.
 * @param options of one provider, of several, or `{ inject, useFactory }`
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
