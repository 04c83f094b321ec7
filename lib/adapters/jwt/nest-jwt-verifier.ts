import { createSecretKey } from 'node:crypto';
import { JwtService, type JwtModuleOptions } from '@nestjs/jwt';
import type { JwtClaims } from '../../core/identity/claims.js';
import { isExpectedType, MAX_TOKEN_LENGTH } from '../../core/identity/expected-claims.js';
import { describeProblems } from '../../core/base/problem.js';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { Clock } from '../../ports/clock.js';
import { JwtVerifier } from '../../ports/jwt-verifier.js';
import { readPublicKey } from './jwt-key.js';
import { DEFAULT_CLOCK_TOLERANCE_S, explainJwtOptions, type RealtimeJwtOptions } from './jwt-options.js';
import { refusalReasonOf, type JwtRefusalReason } from './jwt-refusal.js';

/**
 * Verifies tokens with one key, by `@nestjs/jwt`: signature, `algorithms`, issuer, audience and not-before time. The caller
 * checks `exp`, as the port requires. A token with a `crit` header is refused, because no critical extension is supported
 * (RFC 7515, 4.1.11).
 *
 * Every rejection is the same for clients. Its `cause` has the reason as its `name` (see {@link JwtRefusalReason}) and
 * contains no part of the token.
 */
export class NestJwtVerifier extends JwtVerifier {
  // Not the application's JwtService: the options of its JwtModule (secretOrKeyProvider, verifyOptions) would silently
  // override the options that were checked here.
  readonly #jwt: JwtService;
  /** The options of each verification. The time is set before: `JwtService` would merge options of a call, which takes longer. */
  readonly #verification: VerifyOptions;
  readonly #types: RealtimeJwtOptions['typ'];

  /** @throws RealtimeConfigurationError for options that {@link explainJwtOptions} refuses */
  constructor(
    options: RealtimeJwtOptions,
    private readonly clock: Clock,
  ) {
    super();
    this.#verification = verificationBy(options);
    this.#jwt = new JwtService({ ...keyOf(options), verifyOptions: this.#verification });
    this.#types = options.typ;
  }

  verify(token: string): JwtClaims | Promise<JwtClaims> {
    if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH) throw refusal('TokenMalformed');
    const { header, payload } = this.#read(token);
    if ('crit' in header) throw refusal('CriticalHeader');
    if (!isExpectedType(header, this.#types)) throw refusal('TypeMismatch');
    if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) throw refusal('TokenMalformed');
    return payload as JwtClaims;
  }

  #read(token: string): { header: object; payload: unknown } {
    try {
      this.#verification.clockTimestamp = this.clock.now() / 1000;
      return this.#jwt.verify(token);
    } catch (error) {
      throw refusal(refusalReasonOf(error));
    }
  }
}

function verificationBy(options: RealtimeJwtOptions): VerifyOptions {
  const problems = explainJwtOptions(options).map(({ at, message }) => ({ at: `jwt.${at}`, message }));
  if (problems.length > 0) throw new RealtimeConfigurationError(describeProblems(problems));
  const { algorithms, issuer, audience, clockToleranceS } = options;
  return {
    algorithms: [...algorithms],
    ...(issuer !== undefined && { issuer: [issuer].flat() as [string] }),
    ...(audience !== undefined && { audience: [audience].flat() as [string] }),
    clockTolerance: clockToleranceS ?? DEFAULT_CLOCK_TOLERANCE_S,
    ignoreExpiration: true,
    complete: true,
  };
}

type VerifyOptions = NonNullable<JwtModuleOptions['verifyOptions']>;

/** Returns a KeyObject: verification compares its type with the algorithm, and it is parsed only once. */
function keyOf({ secret, publicKey }: RealtimeJwtOptions): JwtModuleOptions {
  const reading = publicKey === undefined ? undefined : readPublicKey(publicKey);
  const key = reading?.ok ? reading.key : createSecretKey(Buffer.from(secret as string));
  // The declared type lacks KeyObject, but jsonwebtoken, which gets the value, accepts one.
  return { [reading ? 'publicKey' : 'secret']: key as unknown as Buffer };
}

function refusal(reason: JwtRefusalReason): RealtimeError {
  const cause = Object.assign(new Error('The token was refused.'), { name: reason });
  return new RealtimeError('UNAUTHENTICATED', 'The token is not valid.', { cause });
}
