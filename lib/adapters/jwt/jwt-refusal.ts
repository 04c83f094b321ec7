/** Maps the start of a message of `jsonwebtoken` to our name for the reason. The rest of the message may quote the token. */
const REASONS = {
  'invalid algorithm': 'AlgorithmNotAllowed',
  'jwt signature is required': 'SignatureMissing',
  'invalid signature': 'SignatureInvalid',
  'jwt audience invalid': 'AudienceMismatch',
  'jwt issuer invalid': 'IssuerMismatch',
  'jwt not active': 'NotActiveYet',
} as const;

/** The reason for refusing a token, for the log of the server; never sent to clients. */
export type JwtRefusalReason =
  (typeof REASONS)[keyof typeof REASONS] | 'CriticalHeader' | 'TypeMismatch' | 'TokenMalformed';

/** Returns the reason for an error of `jsonwebtoken`. */
export function refusalReasonOf(error: unknown): JwtRefusalReason {
  const text = error instanceof Error ? error.message : '';
  const known = Object.entries(REASONS).find(([beginning]) => text.startsWith(beginning));
  return known?.[1] ?? 'TokenMalformed';
}
