import type { Identity } from '../core/identity/claims.js';

/** Who a token stands for. */
export interface Authenticated {
  readonly identity: Identity;
  /** When the token's life ends, from its `exp`; in the past for an expired token that was allowed. */
  readonly expiresAt?: Date;
  /**
   * Asks again whether the token has been revoked since, when the application can tell. Rejects when nobody can tell at
   * the moment.
   */
  readonly isRevoked?: () => Promise<boolean>;
}

/** How one token is to be judged. */
export interface AuthenticateOptions {
  /** Accept a token whose life is over; default false. */
  readonly allowExpired?: boolean;
}

/**
 * Makes an identity of a token: the one way in, for sockets and HTTP requests alike.
 *
 * **Promised by an implementation:** what it resolves with was vouched for by whoever issues the tokens, and is complete
 * and well-formed. It never throws synchronously. Calls run concurrently.
 *
 * **Not promised:** an answer in time (the caller owns the deadline), and that the user may do anything; see `authorize`
 * in `core`.
 *
 * **Errors:** always a `RealtimeError`: `UNAUTHENTICATED`, `TOKEN_EXPIRED`, or `UNAVAILABLE` when nobody can tell at the
 * moment. Texts and details hold no part of the token and no value of a claim.
 */
export abstract class Authenticator {
  /**
   * @param token as the client sent it
   * @returns who it stands for, and until when
   */
  abstract authenticate(token: string, options?: AuthenticateOptions): Promise<Authenticated>;
}
