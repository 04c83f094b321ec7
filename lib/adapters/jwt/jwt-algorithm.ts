/** The supported signature algorithms. EdDSA is missing because `jsonwebtoken` does not support it. */
export const JWT_ALGORITHMS = [
  'HS256',
  'HS384',
  'HS512',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
] as const;

/**
 * A signature algorithm (RFC 7518, 3.1). `none` is not supported.
 * @publicApi
 */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** The kind of key that an algorithm needs: a shared secret, or the public key of an RSA or EC pair. */
export type JwtKeyKind = 'secret' | 'RSA' | 'EC';

/** True for the name of a supported algorithm. */
export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return JWT_ALGORITHMS.includes(value as JwtAlgorithm);
}

/** Returns the kind of key that an algorithm needs. Algorithms of different kinds must never be allowed together (RFC 8725, 2.1). */
export function keyKindOf(algorithm: JwtAlgorithm): JwtKeyKind {
  if (algorithm.startsWith('HS')) return 'secret';
  return algorithm.startsWith('ES') ? 'EC' : 'RSA';
}

/** Returns the size of the algorithm's hash in bytes, which is also the minimum for an HMAC secret (RFC 7518, 3.2). */
export function hashBytesOf(algorithm: JwtAlgorithm): number {
  return Number(algorithm.slice(2)) / 8;
}
