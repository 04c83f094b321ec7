import type { JwtClaims } from './claims.js';

/** Maximum length of a token in characters; longer ones are refused unread. */
export const MAX_TOKEN_LENGTH = 8_192;

/** The values that the claims of a genuine token must have, apart from its subject. */
export interface ExpectedClaims {
  readonly issuer: string;
  /** The token must name at least one of these; if omitted, any audience or none is accepted. */
  readonly audience?: readonly string[] | undefined;
  /** Tolerated clock difference, in seconds. */
  readonly toleranceS: number;
}

/** The reason for refusing the claims of a genuine token. */
export type ClaimsRefusal = 'ClaimMalformed' | 'IssuerMismatch' | 'AudienceMismatch' | 'NotActiveYet';

/**
 * Checks genuine claims: issuer, audience, `nbf`, and that every date is a number (RFC 7519, 4.1). It does not check
 * expiry; see `isExpired`.
 * @returns the reason for a refusal, or `undefined` if the claims are accepted
 */
export function explainUnexpectedClaims(
  claims: JwtClaims,
  { issuer, audience, toleranceS }: ExpectedClaims,
  now: Date,
): ClaimsRefusal | undefined {
  const { exp, iat, nbf } = claims;
  if (![exp, iat, nbf].every((date) => date === undefined || Number.isFinite(date))) return 'ClaimMalformed';
  if (claims['iss'] !== issuer) return 'IssuerMismatch';
  if (audience && ![claims['aud']].flat().some((entry) => audience.includes(entry as string)))
    return 'AudienceMismatch';
  if (nbf !== undefined && nbf > now.getTime() / 1000 + toleranceS) return 'NotActiveYet';
  return undefined;
}
