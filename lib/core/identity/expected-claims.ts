import type { JwtClaims } from './claims.js';

/** Most characters of a token; longer ones are refused unread. */
export const MAX_TOKEN_LENGTH = 8_192;

/** What the claims of a genuine token must say beside who it stands for. */
export interface ExpectedClaims {
  readonly issuer: string;
  /** One of them is enough; any audience, or none, when left out. */
  readonly audience?: readonly string[] | undefined;
  /** Seconds that clocks may differ by. */
  readonly toleranceS: number;
}

/** Why claims do not hold although the token is genuine. */
export type ClaimsRefusal = 'ClaimMalformed' | 'IssuerMismatch' | 'AudienceMismatch' | 'NotActiveYet';

/**
 * Judges genuine claims: issuer, audience and `nbf`, and that every date is a number (RFC 7519, 4.1). Whether the token
 * is still alive is another question; see `isExpired`.
 * @returns why they do not hold; `undefined` when they do
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
