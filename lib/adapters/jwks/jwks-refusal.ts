import type { ClaimsRefusal } from '../../core/identity/expected-claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';

/** Codes of `jose`'s errors, and our names for them. Its texts and causes may hold claims of the token. */
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
 * Why a token was refused, for the log of the server; the client is not told. `KeyUnusable` is the provider's fault: the
 * key that the token names is broken, private or too short.
 */
export type JwksRefusalReason = (typeof REASONS)[keyof typeof REASONS] | ClaimsRefusal | 'KeyUnusable';

/** The reason behind an error of `jose`. What it does not know by a code of its own, a key has caused. */
export function refusalReasonOf(error: unknown): JwksRefusalReason {
  const { code } = Object(error) as { code?: unknown };
  return REASONS[code as keyof typeof REASONS] ?? 'KeyUnusable';
}

/** What a refused token is rejected with: the same for every reason, but for the name of its cause. */
export function refusal(reason: JwksRefusalReason): RealtimeError {
  const cause = Object.assign(new Error('The token was refused.'), { name: reason });
  return new RealtimeError('UNAUTHENTICATED', 'The token is not valid.', { cause });
}
