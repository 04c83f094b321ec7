import { Logger } from '@nestjs/common';
import { authError } from '../../core/identity/authorization.js';
import {
  explainClaims,
  explainIdentity,
  identityFromClaims,
  isExpired,
  type Identity,
  type IdentityInput,
  type JwtClaims,
} from '../../core/identity/claims.js';
import { describeProblems, type Problem } from '../../core/base/problem.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { Authenticator, type Authenticated, type AuthenticateOptions } from '../../ports/authenticator.js';
import type { Clock } from '../../ports/clock.js';
import type { JwtVerifier } from '../../ports/jwt-verifier.js';

/** How claims become an identity. */
export interface JwtAuthenticatorOptions {
  /** The application's reading of verified claims; `identityFromClaims` of `core` when left out. */
  readonly claims?: ((claims: JwtClaims) => IdentityInput | Promise<IdentityInput>) | undefined;
  /** Says whether a token has been revoked. */
  readonly isRevoked?: ((claims: JwtClaims) => boolean | Promise<boolean>) | undefined;
  /** Seconds for which a token is still accepted after its `exp`, since clocks differ. */
  readonly clockToleranceS: number;
}

/**
 * Authenticates with a token: verifies it, judges its claims and its age, and reads the identity out of them.
 *
 * What a client is told has fixed texts. The log has more: at debug level why a token was refused (by the name of the
 * error, since messages of parsers quote what they parsed), at error level what the application's `claims` function did wrong.
 */
export class JwtAuthenticator extends Authenticator {
  readonly #logger = new Logger(JwtAuthenticator.name);

  constructor(
    private readonly verifier: JwtVerifier,
    private readonly clock: Clock,
    private readonly options: JwtAuthenticatorOptions,
  ) {
    super();
  }

  async authenticate(token: string, { allowExpired = false }: AuthenticateOptions = {}): Promise<Authenticated> {
    const claims = await this.#verify(token);
    const problems = explainClaims(claims);
    if (problems.length > 0) throw this.#refuse(describeProblems(problems), problems);
    if (!allowExpired && isExpired(claims, new Date(this.clock.now()), this.options.clockToleranceS)) {
      const { code, message } = authError({ kind: 'expired' });
      throw new RealtimeError(code, message);
    }
    const identity = await this.#identify(claims);
    const expiresAt = new Date(claims.exp! * 1000);
    if (!this.options.isRevoked) return { identity, expiresAt };
    const isRevoked = () => this.#isRevoked(claims);
    if (await isRevoked()) throw new RealtimeError('UNAUTHENTICATED', 'The token has been revoked.');
    return { identity, expiresAt, isRevoked };
  }

  async #isRevoked(claims: JwtClaims): Promise<boolean> {
    try {
      return (await this.options.isRevoked?.(claims)) ?? false;
    } catch (error) {
      this.#logger.error(`The option isRevoked threw ${(error as Error)?.name}`);
      throw new RealtimeError('UNAVAILABLE', 'Whether the token was revoked cannot be told at the moment; try again.');
    }
  }

  async #verify(token: string): Promise<JwtClaims> {
    try {
      return await this.verifier.verify(token);
    } catch (error) {
      if (error instanceof RealtimeError && PASSED_ON.has(error.code)) throw error;
      throw this.#refuse(nameOf(error));
    }
  }

  async #identify(claims: JwtClaims): Promise<Identity> {
    const { claims: read } = this.options;
    if (read === undefined) return identityFromClaims(claims);
    let identity: unknown;
    try {
      identity = complete(await read(claims));
    } catch (error) {
      throw this.#blame(`threw ${nameOf(error)}`);
    }
    const problems = explainIdentity(identity);
    if (problems.length > 0) throw this.#blame(`returned a value whose ${describeProblems(problems)}`);
    return identity as Identity;
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

/** What a client can do something about. */
const PASSED_ON: ReadonlySet<string> = new Set(['TOKEN_EXPIRED', 'UNAVAILABLE']);

/** Fills in what was left out. What cannot be a list stays as it is, to be found fault with. */
function complete(input: unknown): unknown {
  if (typeof input !== 'object' || input === null) return input;
  const { userId, roles, permissions, metadata = {} } = input as Record<string, unknown>;
  return { userId, roles: listOf(roles), permissions: listOf(permissions), metadata };
}

function listOf(value: unknown): unknown {
  if (value === undefined) return [];
  // A string is iterable too, but its letters are nobody's roles.
  return typeof value === 'object' && value !== null && Symbol.iterator in value
    ? Array.from(value as Iterable<unknown>)
    : value;
}

/** The cause's name tells more where the package's own error is wrapped around it. */
function nameOf(error: unknown): string {
  const { cause } = Object(error) as { cause?: unknown };
  const told = cause instanceof Error ? cause : error;
  return told instanceof Error ? told.name : typeof told;
}
