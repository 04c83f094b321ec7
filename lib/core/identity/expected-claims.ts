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

/**
 * True when the header of a token names a type that is expected (RFC 8725, 3.11). Media types are compared without regard to
 * case, and `application/` may be left out (RFC 7515, 4.1.9).
 * @param expected one of them is enough; any, or none, when left out
 */
export function isExpectedType(header: object, expected: string | readonly string[] | undefined): boolean {
  if (expected === undefined) return true;
  const { typ } = header as { readonly typ?: unknown };
  return typeof typ === 'string' && [expected].flat().some((each) => mediaType(each) === mediaType(typ));
}

function mediaType(type: string): string {
  return type.toLowerCase().replace(/^application\/(?=[^/]*$)/, '');
}
