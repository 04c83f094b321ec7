import type { JwtClaims } from '../core/identity/claims.js';
import type { ConnectInfo } from './connect-info.js';

/**
 * Verifies a token and returns its claims.
 *
 * **Promised by an implementation:** the claims come from a token whose signature, issuer, audience and not-before time it
 * has checked. It throws or rejects for every other token, and never hangs forever (the gateway waits `limits.authTimeoutMs`).
 * Calls run concurrently.
 *
 * **Not promised:** that the token has not expired. The caller checks `exp`, so that an application can choose to accept
 * expired tokens (`authorize.allowExpired`); a verifier that rejects them removes that choice.
 *
 * **Errors:** a `RealtimeError` with the code `TOKEN_EXPIRED` or `UNAVAILABLE` (the key server is unavailable: the
 * client is told to retry) is passed on. A 5xx exception of Nest, a timeout (`TimeoutError`, `AbortError`, `ETIMEDOUT`) and a
 * system error of the network (`ECONN…`, `ENOTFOUND`, `EAI_AGAIN`), by itself or as a `cause`, count as `UNAVAILABLE`.
 * Every other error means `UNAUTHENTICATED`. Texts must not contain any part of the token.
 */
export abstract class JwtVerifier {
  /**
   * @param token as the client sent it
   * @param info why the token is judged, and who presents it; the package always gives it
   * @returns its claims, with `exp` unchecked. A promise only if there is something to wait for: letting a client in without
   *   waiting takes less CPU
   */
  abstract verify(token: string, info?: ConnectInfo): JwtClaims | Promise<JwtClaims>;
}
