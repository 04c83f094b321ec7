/** Beginnings of what `jsonwebtoken` says, and our names for it. The rest of its texts may quote the token. */
const REASONS = {
  'invalid algorithm': 'AlgorithmNotAllowed',
  'jwt signature is required': 'SignatureMissing',
  'invalid signature': 'SignatureInvalid',
  'jwt audience invalid': 'AudienceMismatch',
  'jwt issuer invalid': 'IssuerMismatch',
  'jwt not active': 'NotActiveYet',
} as const;

/** Why a token was refused, for the log of the server; the client is not told. */
export type JwtRefusalReason = (typeof REASONS)[keyof typeof REASONS] | 'CriticalHeader' | 'TokenMalformed';

/** The reason behind an error of `jsonwebtoken`. */
export function refusalReasonOf(error: unknown): JwtRefusalReason {
  const text = error instanceof Error ? error.message : '';
  const known = Object.entries(REASONS).find(([beginning]) => text.startsWith(beginning));
  return known?.[1] ?? 'TokenMalformed';
}
