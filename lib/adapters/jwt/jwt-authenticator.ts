import { authError } from '../../core/identity/authorization.js';
import {
  explainConnectClaims,
  explainIdentity,
  identityFromClaims,
  isExpired,
  type Identity,
  type IdentityInput,
  type JwtClaims,
} from '../../core/identity/claims.js';
import { isPromise, type Awaitable } from '../../core/base/awaitable.js';
import { describeProblems, type Problem } from '../../core/base/problem.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { TokenHooks } from '../../errors/token-hooks.js';
import { Authenticator, type Authenticated, type AuthenticateOptions } from '../../ports/authenticator.js';
import type { Clock } from '../../ports/clock.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import type { JwtVerifier } from '../../ports/jwt-verifier.js';
import { SafeLogger } from '../../errors/safe-logger.js';

/** Options for turning claims into an identity. */
export interface JwtAuthenticatorOptions {
  /** The application's mapping of verified claims; default: `identityFromClaims` of `core`. */
  readonly claims?: ((claims: JwtClaims, info: ConnectInfo) => IdentityInput | Promise<IdentityInput>) | undefined;
  /** Returns whether a token was revoked. */
  readonly isRevoked?: ((claims: JwtClaims) => boolean | Promise<boolean>) | undefined;
  /** Time for which a token is accepted after its `exp`, in seconds, to tolerate clock differences. */
  readonly clockToleranceS: number;
}

/**
 * Authenticates a token: verifies it, checks its claims and expiry, and derives the identity from them.
 *
 * Clients receive fixed texts, unless a function of the application throws an error that is meant for them. The log has
 * more: at debug level the reason for a refusal (the name of the error, because messages of parsers quote their input), at
 * error level the faults of the application's functions.
 */
export class JwtAuthenticator extends Authenticator {
  readonly #logger = new SafeLogger(JwtAuthenticator.name);
  readonly #hooks: TokenHooks;

  constructor(
    private readonly verifier: JwtVerifier,
    private readonly clock: Clock,
    private readonly options: JwtAuthenticatorOptions,
  ) {
    super();
    this.#hooks = new TokenHooks(this.#logger, () => clock.now());
  }

  authenticate(
    token: string,
    { allowExpired = false, info = { purpose: 'http' } }: AuthenticateOptions = {},
  ): Authenticated | Promise<Authenticated> {
    let claims: Awaitable<JwtClaims>;
    try {
      claims = this.verifier.verify(token, info);
    } catch (error) {
      throw this.#unverified(error);
    }
    if (!isPromise(claims)) return this.#judge(claims, allowExpired, info);
    // Not the `then` of another library, which need not return a promise.
    return Promise.resolve(claims).then(
      (verified) => this.#judge(verified, allowExpired, info),
      (error) => {
        throw this.#unverified(error);
      },
    );
  }

  #judge(claims: JwtClaims, allowExpired: boolean, info: ConnectInfo): Awaitable<Authenticated> {
    const problems = explainConnectClaims(claims);
    if (problems.length > 0) throw this.#refuse(describeProblems(problems), problems);
    if (!allowExpired && isExpired(claims, new Date(this.clock.now()), this.options.clockToleranceS)) {
      const { code, message } = authError({ kind: 'expired' });
      throw new RealtimeError(code, message);
    }
    const { claims: read, isRevoked } = this.options;
    const identity = read === undefined ? identityFromClaims(claims) : this.#identify(claims, info, read);
    if (isPromise(identity) || isRevoked) return this.#asked(claims, identity, isRevoked);
    return authenticatedBy(claims, identity);
  }

  /** Waits for the identity, and asks the application whether the token was revoked. */
  async #asked(
    claims: JwtClaims,
    identity: Awaitable<Identity>,
    hook: JwtAuthenticatorOptions['isRevoked'],
  ): Promise<Authenticated> {
    const authenticated = authenticatedBy(claims, await identity);
    if (!hook) return authenticated;
    const isRevoked = async () => this.#hooks.run('isRevoked', () => hook(claims));
    await this.#hooks.assertNotRevoked(isRevoked);
    return { ...authenticated, isRevoked };
  }

  #identify(
    claims: JwtClaims,
    info: ConnectInfo,
    read: NonNullable<JwtAuthenticatorOptions['claims']>,
  ): Awaitable<Identity> {
    const identity = this.#hooks.run('claims', () => {
      const input = read(claims, info);
      return isPromise(input) ? Promise.resolve(input).then(complete) : complete(input);
    });
    return isPromise(identity) ? identity.then((later) => this.#checked(later)) : this.#checked(identity);
  }

  #checked(identity: unknown): Identity {
    const problems = explainIdentity(identity);
    if (problems.length > 0) throw this.#blame(`returned a value whose ${describeProblems(problems)}`);
    return identity as Identity;
  }

  #unverified(error: unknown): RealtimeError {
    const failure = this.#hooks.failure(error, 'JwtVerifier');
    return failure.code === 'UNAUTHENTICATED' ? this.#refuse(nameOf(error)) : failure;
  }

  #refuse(why: string, details?: readonly Problem[]): RealtimeError {
    this.#logger.debug(`Token refused: ${why}`);
    return new RealtimeError('UNAUTHENTICATED', 'The token is not valid.', { details });
  }

  #blame(fault: string): RealtimeError {
    this.#logger.error(`Token refused: the option "claims" of RealtimeModule ${fault}`);
    return new RealtimeError('UNAUTHENTICATED', 'The token is not valid.');
  }
}

function authenticatedBy({ exp, iat }: JwtClaims, identity: Identity): Authenticated {
  const expiresAt = new Date(exp! * 1000);
  return iat === undefined ? { identity, expiresAt } : { identity, expiresAt, issuedAt: new Date(iat * 1000) };
}

/** Fills in omitted fields. A value that is not a list stays as it is, so that validation reports it. */
function complete(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const { userId, roles, permissions, metadata = {} } = input as Record<string, unknown>;
  return { userId, roles: setOf(roles), permissions: setOf(permissions), metadata };
}

function setOf(value: unknown): unknown {
  if (value === undefined) return new Set();
  // A string is iterable too, but its characters are not roles.
  return typeof value === 'object' && value !== null && Symbol.iterator in value
    ? new Set(value as Iterable<unknown>)
    : value;
}

/** Returns the name of the cause, if there is one, because the package's own error only wraps it. */
function nameOf(error: unknown): string {
  const { cause } = Object(error) as { cause?: unknown };
  const told = cause instanceof Error ? cause : error;
  return told instanceof Error ? told.name : typeof told;
}
