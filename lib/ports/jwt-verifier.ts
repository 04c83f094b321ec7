import type { JwtClaims } from '../core/identity/claims.js';

/**
 * Says whether a token is genuine, and what it claims.
 *
 * **Promised by an implementation:** the claims it resolves with come from a token whose signature, issuer, audience
 * and not-before time it has checked. It rejects everything else, and never throws synchronously or hangs for ever (the
 * gateway waits `limits.authTimeoutMs`). Calls run concurrently.
 *
 * **Not promised:** that the token is still alive. `exp` is judged by the caller, so that an application may choose to
 * accept expired tokens (`authorize.allowExpired`); a verifier that rejects them itself takes that choice away.
 *
 * **Errors:** a `RealtimeError` with the code `TOKEN_EXPIRED` or `UNAVAILABLE` (the key server is away: the client is
 * told to try again) is passed on. Every other rejection means `UNAUTHENTICATED`. Texts must not hold any part of
 * the token.
 */
export abstract class JwtVerifier {
  /**
   * @param token as the client sent it
   * @returns what it claims, `exp` unjudged
   */
  abstract verify(token: string): Promise<JwtClaims>;
}
