import { type Provider } from '@nestjs/common';
import { InMemoryConnectionRegistry } from './adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from './adapters/in-memory/in-memory-pub-sub-manager.js';
import { inMemoryBackend } from './adapters/in-memory/in-memory-backend.js';
import { JwtAuthenticator } from './adapters/jwt/jwt-authenticator.js';
import { isShortSecret } from './adapters/jwt/jwt-options.js';
import { NestJwtVerifier } from './adapters/jwt/nest-jwt-verifier.js';
import { RandomIdGenerator } from './adapters/system/random-id-generator.js';
import { SystemClock } from './adapters/system/system-clock.js';
import { RealtimeConfigurationError } from './errors/realtime-configuration.error.js';
import { Authenticator } from './ports/authenticator.js';
import { Clock } from './ports/clock.js';
import { ConnectionRegistry } from './ports/connection-registry.js';
import { IdGenerator } from './ports/id-generator.js';
import { JwtVerifier } from './ports/jwt-verifier.js';
import { PubSubManager } from './ports/pub-sub-manager.js';
import { MODULE_OPTIONS_TOKEN } from './realtime.module-definition.js';
import { RealtimeSettings, type RealtimeOptions } from './options/realtime.options.js';
import { assertOptions } from './options/realtime.options-schema.js';
import { SafeLogger } from './errors/safe-logger.js';

const logger = new SafeLogger('RealtimeModule');

const JWT_MISSING =
  'RealtimeModule options: jwt is required, for example { secret, algorithms: ["HS256"] }; or give a JwtVerifier of your own: ' +
  'providers: [{ provide: JwtVerifier, useClass: MyVerifier }]';

/** Takes the place of a missing verifier. It fails only when used, because a custom Authenticator needs no verifier. */
const NO_VERIFIER: JwtVerifier = { verify: () => Promise.reject(new RealtimeConfigurationError(JWT_MISSING)) };

/** The default adapter of each port, which the application can override. */
export const PORT_PROVIDERS: Provider[] = [
  ...inMemoryBackend().providers,
  { provide: ConnectionRegistry, useClass: InMemoryConnectionRegistry },
  { provide: PubSubManager, useClass: InMemoryPubSubManager },
  { provide: Clock, useClass: SystemClock },
  { provide: IdGenerator, useClass: RandomIdGenerator },
  {
    provide: RealtimeSettings,
    inject: [MODULE_OPTIONS_TOKEN],
    useFactory: (options: RealtimeOptions) => {
      assertOptions(options);
      return new RealtimeSettings(options);
    },
  },
  {
    provide: JwtVerifier,
    inject: [RealtimeSettings, Clock],
    useFactory: ({ jwt }: RealtimeSettings, clock: Clock) => {
      if (!jwt) return NO_VERIFIER;
      if (isShortSecret(jwt))
        logger.warn('jwt.secret is shorter than its algorithm requires; use 32 random bytes or more');
      return new NestJwtVerifier(jwt, clock);
    },
  },
  {
    provide: Authenticator,
    inject: [JwtVerifier, Clock, RealtimeSettings],
    useFactory: (verifier: JwtVerifier, clock: Clock, { claims, isRevoked, clockToleranceS }: RealtimeSettings) => {
      if (verifier === NO_VERIFIER) throw new RealtimeConfigurationError(JWT_MISSING);
      return new JwtAuthenticator(verifier, clock, { claims, isRevoked, clockToleranceS });
    },
  },
];
