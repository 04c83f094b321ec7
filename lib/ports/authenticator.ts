import type { Identity } from '../core/identity/claims.js';
import type { ConnectInfo } from './connect-info.js';

/** The result of an authentication. */
export interface Authenticated {
  readonly identity: Identity;
  /** Expiry of the token, from its `exp`; in the past for an expired token that was accepted. */
  readonly expiresAt?: Date;
  /** When the token was issued, from its `iat`. A connection takes no token that is older than the one it has. */
  readonly issuedAt?: Date;
  /**
   * Checks whether the token was revoked since; present if the application can tell. Rejects if the check is not possible
   * at the moment.
   */
  readonly isRevoked?: () => Promise<boolean>;
}

/** Options for the authentication of one token. */
export interface AuthenticateOptions {
  /** Accepts an expired token; default false. */
  readonly allowExpired?: boolean;
  /** Why the token is judged, and who presents it; the package always gives it. Default `{ purpose: 'http' }`. */
  readonly info?: ConnectInfo;
}

/**
 * Turns a token into an identity. Sockets and HTTP requests are authenticated only here.
 *
 * **Promised by an implementation:** the issuer of the tokens vouches for the identity, which is complete and well-formed.
 * Calls run concurrently.
 *
 * **Not promised:** an answer in time (the caller sets the deadline), and that the user has any right; see `authorize` in
 * `core`.
 *
 * **Errors,** thrown or as a rejection: a `RealtimeError` with the code `UNAUTHENTICATED`, `TOKEN_EXPIRED` or `FORBIDDEN`, or
 * `UNAVAILABLE` when the token cannot be checked at the moment. Anything else counts as `UNAVAILABLE`, except exceptions of
 * Nest with the status 401 or 403. Texts and details contain no part of the token and no value of a claim.
 */
export abstract class Authenticator {
  /**
   * @param token as the client sent it
   * @returns the identity, and the token's expiry; a promise only if there is something to wait for
   */
  abstract authenticate(token: string, options?: AuthenticateOptions): Authenticated | Promise<Authenticated>;
}
