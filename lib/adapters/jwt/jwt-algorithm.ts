/** The signature algorithms that can be verified; EdDSA is not among them because `jsonwebtoken` has none. */
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
 * A signature algorithm (RFC 7518, 3.1). `none` is none.
 * @publicApi
 */
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

/** What kind of key an algorithm needs: a shared secret, or the public half of an RSA or EC pair. */
export type JwtKeyKind = 'secret' | 'RSA' | 'EC';

/** True for the name of a supported algorithm. */
export function isJwtAlgorithm(value: unknown): value is JwtAlgorithm {
  return JWT_ALGORITHMS.includes(value as JwtAlgorithm);
}

/** The kind of key an algorithm needs. Algorithms of different kinds must never be allowed together (RFC 8725, 2.1). */
export function keyKindOf(algorithm: JwtAlgorithm): JwtKeyKind {
  if (algorithm.startsWith('HS')) return 'secret';
  return algorithm.startsWith('ES') ? 'EC' : 'RSA';
}

/** Bytes of the algorithm's hash, which is also the least that an HMAC secret should have (RFC 7518, 3.2). */
export function hashBytesOf(algorithm: JwtAlgorithm): number {
  return Number(algorithm.slice(2)) / 8;
}
