import type { KeyObject } from 'node:crypto';
import type { Problem } from '../../core/base/problem.js';
import { JWT_ALGORITHMS, hashBytesOf, isJwtAlgorithm, keyKindOf, type JwtAlgorithm } from './jwt-algorithm.js';
import { explainKeyFor, looksLikeKey, readPublicKey } from './jwt-key.js';

/**
 * Options for verifying JWTs: either `secret` or `publicKey`, and the algorithms for it.
 * @publicApi
 */
export interface RealtimeJwtOptions {
  /**
   * The shared secret of HS256, HS384 and HS512; at least as many random bytes as the hash has: 32, 48 or 64 (RFC 7518, 3.2).
   * A shorter one, which can be guessed from a single token, stops the boot.
   */
  secret?: string | Buffer;
  /** Take a shorter secret all the same; it is warned about. For issuers that you cannot change. Default false. */
  allowShortSecret?: boolean;
  /** The issuer's public key or certificate, as PEM or a `KeyObject`, for every other algorithm. */
  publicKey?: string | Buffer | KeyObject;
  /** Accepted signature algorithms; never taken from the token itself. One kind only: HS*, or RS* and PS*, or ES*. */
  algorithms: readonly JwtAlgorithm[];
  /** Accepted `iss`, or a list of them. If omitted, it is not checked. */
  issuer?: string | readonly string[];
  /** Accepted `aud`, or a list of which one must match. If omitted, it is not checked. */
  audience?: string | readonly string[];
  /**
   * Accepted `typ` of a token's header, or a list of which one must match (RFC 8725, 3.11), such as `at+jwt`: refuses the
   * issuer's tokens of other kinds. Case and a leading `application/` do not matter. If omitted, it is not checked.
   */
  typ?: string | readonly string[];
  /** Tolerated difference between the issuer's clock and ours, in seconds, 0 to 300. Default 5. */
  clockToleranceS?: number;
}

/** Default for the tolerated clock difference, in seconds. */
export const DEFAULT_CLOCK_TOLERANCE_S = 5;

const MAX_CLOCK_TOLERANCE_S = 300;

const NAMES = ['secret', 'allowShortSecret', 'publicKey', 'algorithms', 'issuer', 'audience', 'typ', 'clockToleranceS'];

/** Returns all problems of the options, each with the correction and without any key material. */
export function explainJwtOptions(options: unknown): readonly Problem[] {
  if (typeof options !== 'object' || options === null) {
    return [{ at: 'options', message: "must be an object like { secret, algorithms: ['HS256'] }" }];
  }
  const given = options as Record<string, unknown>;
  const { algorithms, secret, publicKey, issuer, audience, typ, clockToleranceS } = given;
  return [
    ...Object.keys(options)
      .filter((name) => !NAMES.includes(name))
      .map((at) => ({ at, message: `is not an option; the options are: ${NAMES.join(', ')}` })),
    ...explainAlgorithms(algorithms),
    ...explainChoiceOfKey(secret, publicKey, algorithms),
    ...explainSecret(secret),
    ...explainLength(given),
    ...explainPublicKey(publicKey, algorithms),
    ...explainExpected('issuer', issuer),
    ...explainExpected('audience', audience),
    ...explainExpected('typ', typ),
    ...explainTolerance(clockToleranceS),
  ];
}

/** True if an HMAC secret has fewer bytes than its algorithm's hash (RFC 7518, 3.2): enough for a demo, not for production. */
export function isShortSecret({ secret, algorithms }: RealtimeJwtOptions): boolean {
  if (secret === undefined) return false;
  const bytes = Buffer.byteLength(secret);
  return algorithms.some((algorithm) => bytes < hashBytesOf(algorithm));
}

/** Checks the length of a secret. The problem mentions the required length, which reveals nothing that helps to guess it. */
function explainLength({ algorithms, secret, allowShortSecret }: Record<string, unknown>): Problem[] {
  if (allowShortSecret !== undefined && typeof allowShortSecret !== 'boolean') {
    return [{ at: 'allowShortSecret', message: 'must be true or false' }];
  }
  const isReadable = (typeof secret === 'string' || secret instanceof Uint8Array) && secret.length > 0;
  if (allowShortSecret || !isReadable || explainAlgorithms(algorithms).length > 0) return [];
  const least = Math.max(...(algorithms as JwtAlgorithm[]).map(hashBytesOf));
  if (keyKindOf((algorithms as JwtAlgorithm[])[0]!) !== 'secret' || Buffer.byteLength(secret) >= least) return [];
  const message =
    `is shorter than the ${least} bytes that ${(algorithms as string[]).join(', ')} requires, so it can be guessed from a token ` +
    `(RFC 7518, 3.2); use a random one, for example from: openssl rand -base64 ${least}; or set jwt.allowShortSecret`;
  return [{ at: 'secret', message }];
}

function explainAlgorithms(value: unknown): Problem[] {
  const at = 'algorithms';
  if (!Array.isArray(value) || value.length === 0) {
    return [{ at, message: "must list the accepted signature algorithms, such as ['HS256']; there is no default" }];
  }
  const unknown = value.filter((name) => !isJwtAlgorithm(name));
  if (unknown.length > 0) {
    const why = unknown.includes('none')
      ? 'must not contain "none": anyone can make such a token'
      : 'has an unknown name';
    return [{ at, message: `${why}; choose from ${JWT_ALGORITHMS.join(', ')}` }];
  }
  const names: JwtAlgorithm[] = value;
  return new Set(names.map(keyKindOf)).size === 1
    ? []
    : [{ at, message: `must not mix kinds (${names.join(', ')}): keep those that the issuer signs with` }];
}

function explainChoiceOfKey(secret: unknown, publicKey: unknown, algorithms: unknown): Problem[] {
  if (secret === undefined && publicKey === undefined) {
    const message = 'is missing, and so is publicKey: give one of them (is an environment variable not set?)';
    return [{ at: 'secret', message }];
  }
  if (secret !== undefined && publicKey !== undefined) {
    return [{ at: 'secret', message: 'and publicKey must not both be given: keep the one that the issuer signs for' }];
  }
  if (explainAlgorithms(algorithms).length > 0) return [];
  const [algorithm] = algorithms as [JwtAlgorithm];
  const given = secret === undefined ? 'publicKey' : 'secret';
  const needed = keyKindOf(algorithm) === 'secret' ? 'secret' : 'publicKey';
  return given === needed
    ? []
    : [{ at: given, message: `cannot be used with ${algorithm}, which is verified with ${needed}` }];
}

function explainSecret(secret: unknown): Problem[] {
  const at = 'secret';
  if (secret === undefined) return [];
  if (!(typeof secret === 'string' || secret instanceof Uint8Array) || secret.length === 0) {
    return [{ at, message: 'must be a non-empty string or Buffer' }];
  }
  if (!looksLikeKey(secret)) return [];
  return [
    {
      at,
      message:
        'looks like the key of a key pair; as a secret it would let anyone with the public key sign tokens. Give the public key as publicKey, with its algorithms',
    },
  ];
}

function explainPublicKey(publicKey: unknown, algorithms: unknown): Problem[] {
  const at = 'publicKey';
  if (publicKey === undefined) return [];
  const reading = readPublicKey(publicKey);
  if (!reading.ok) return [{ at, message: reading.message }];
  if (!Array.isArray(algorithms)) return [];
  return algorithms
    .filter((name) => isJwtAlgorithm(name) && keyKindOf(name) !== 'secret')
    .map((algorithm) => explainKeyFor(algorithm, reading.key))
    .filter((message) => message !== undefined)
    .map((message) => ({ at, message }));
}

function explainExpected(at: string, value: unknown): Problem[] {
  if (value === undefined) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  const valid = list.length > 0 && list.every((entry) => typeof entry === 'string' && entry.length > 0);
  return valid ? [] : [{ at, message: 'must be a non-empty string or list of them; leave it out to accept any' }];
}

function explainTolerance(value: unknown): Problem[] {
  if (value === undefined) return [];
  if (typeof value === 'number' && value >= 0 && value <= MAX_CLOCK_TOLERANCE_S) return [];
  return [{ at: 'clockToleranceS', message: `must be a number of seconds from 0 to ${MAX_CLOCK_TOLERANCE_S}` }];
}
