import type { ClaimsRefusal } from '../../core/identity/expected-claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';

/** Maps error codes of `jose` to our names. Its texts and causes may contain claims of the token. */
const REASONS = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'AlgorithmNotAllowed',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'SignatureInvalid',
  ERR_JWKS_NO_MATCHING_KEY: 'KeyUnknown',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'KeyAmbiguous',
  ERR_JOSE_NOT_SUPPORTED: 'CriticalHeader',
  ERR_JWS_INVALID: 'TokenMalformed',
  ERR_JWT_INVALID: 'TokenMalformed',
} as const;

/**
 * The reason for refusing a token, for the log of the server; never sent to clients. `KeyUnusable` is a fault of the
 * provider: the key that the token names is broken, private or too short.
 */
export type JwksRefusalReason = (typeof REASONS)[keyof typeof REASONS] | ClaimsRefusal | 'KeyUnusable' | 'TypeMismatch';

/** Returns the reason for an error of `jose`. An error without a known code was caused by a key. */
export function refusalReasonOf(error: unknown): JwksRefusalReason {
  const { code } = Object(error) as { code?: unknown };
  return REASONS[code as keyof typeof REASONS] ?? 'KeyUnusable';
}

/** Returns the error for a refused token: the same for every reason, except for the name of its cause. */
export function refusal(reason: JwksRefusalReason): RealtimeError {
  const cause = Object.assign(new Error('The token was refused.'), { name: reason });
  return new RealtimeError('UNAUTHENTICATED', 'The token is not valid.', { cause });
}
