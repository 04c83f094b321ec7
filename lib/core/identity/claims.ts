import { explainMetadata } from '../connection/connection.js';
import { lostInJson } from '../message/lost-in-json.js';
import type { Problem } from '../base/problem.js';

/** The verified claims of a token (RFC 7519): those that the package reads, and any others of the issuer. */
export interface JwtClaims {
  /** The subject of the token: the user. */
  readonly sub?: string;
  /** Expiry, in seconds since 1970. */
  readonly exp?: number;
  /** Time of issue, in seconds since 1970. */
  readonly iat?: number;
  /** Start of validity, in seconds since 1970. */
  readonly nbf?: number;
  readonly [claim: string]: unknown;
}

/** A user with roles, permissions and metadata. */
export interface Identity {
  readonly userId: string;
  readonly roles: ReadonlySet<string>;
  readonly permissions: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** An identity as an application's `claims` function may return it: everything except the user is optional. */
export interface IdentityInput {
  readonly userId: string;
  readonly roles?: Iterable<string>;
  readonly permissions?: Iterable<string>;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const DATES = ['exp', 'iat', 'nbf'] as const;
const MAX_SUBJECT_LENGTH = 128;
const MAX_LIST_LENGTH = 256;
const MAX_ENTRY_LENGTH = 128;

/** The latest time that a JavaScript date can hold, in seconds. */
const MAX_DATE_S = 8_640_000_000_000;

/**
 * Returns the problems of claims: `sub` must be a non-empty string of at most 128 characters without control characters and lone surrogates,
 * `exp` is required, and every date must be a finite number of seconds. A valid signature guarantees none of this
 * (RFC 8725, 3.10).
 */
export function explainClaims(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ at: 'claims', message: 'must be an object' }];
  }
  const claims = value as Record<string, unknown>;
  const { sub, exp } = claims;
  const problems: Problem[] = [];
  if (!isText(sub, MAX_SUBJECT_LENGTH)) {
    problems.push({
      at: 'sub',
      message: `must be a non-empty string of at most ${MAX_SUBJECT_LENGTH} characters, none of them a control character or a lone surrogate`,
    });
  }
  if (exp === undefined) problems.push({ at: 'exp', message: 'is required' });
  for (const at of DATES) {
    const date = claims[at];
    if (date !== undefined && !isNumericDate(date))
      problems.push({ at, message: 'must be a number of seconds since 1970' });
  }
  return problems;
}

/**
 * Returns the problems of the claims of a token for a connection. A token with a `channel` opens that topic and nothing else,
 * so that it can be given to a page that must not act for the user.
 */
export function explainConnectClaims(value: unknown): readonly Problem[] {
  const problems = explainClaims(value);
  if (problems.length > 0 || (value as JwtClaims)['channel'] === undefined) return problems;
  return [{ at: 'channel', message: 'must not be there: the token is for one topic' }];
}

/** True for well-formed claims, which name a user and an expiry. */
export function isClaims(value: unknown): value is JwtClaims & { readonly sub: string; readonly exp: number } {
  return explainClaims(value).length === 0;
}

/**
 * True once the token has expired. A token whose `exp` is missing or not a number counts as expired.
 * @param toleranceS tolerated clock difference, in seconds
 */
export function isExpired(claims: Pick<JwtClaims, 'exp'>, now: Date, toleranceS = 0): boolean {
  return typeof claims.exp !== 'number' || !(now.getTime() < (claims.exp + toleranceS) * 1000);
}

/**
 * The default mapping of claims: `sub` is the user, `roles` (a list) or `role` (a single name) the roles, `permissions`
 * the permissions, and `email` goes into the metadata. Entries that are not strings of 1 to 128 characters, or that contain
 * control characters or lone surrogates, are dropped, and so are entries of a list beyond the first 256.
 */
export function identityFromClaims(claims: JwtClaims): Identity {
  return {
    userId: claims.sub ?? '',
    roles: textSet(claims['roles'] ?? claims['role']),
    permissions: textSet(claims['permissions']),
    metadata: typeof claims['email'] === 'string' ? { email: claims['email'] } : {},
  };
}

/** Returns the problems of an identity, such as one that an application's `claims` function returned. */
export function explainIdentity(value: unknown): readonly Problem[] {
  if (typeof value !== 'object' || value === null) return [{ at: 'identity', message: 'must be an object' }];
  const { userId, roles, permissions, metadata } = value as Record<string, unknown>;
  const problems: Problem[] = [];
  if (!isText(userId, Infinity))
    problems.push({
      at: 'userId',
      message: 'must be a non-empty string without control characters and lone surrogates',
    });
  for (const [at, list] of Object.entries({ roles, permissions })) {
    if (!isTextList(list)) {
      problems.push({
        at,
        message: `must be a list of at most ${MAX_LIST_LENGTH} strings of 1 to ${MAX_ENTRY_LENGTH} characters, none of them a control character or a lone surrogate`,
      });
    }
  }
  problems.push(...explainMetadata(metadata), ...explainLoss(metadata));
  return problems;
}

/** Metadata crosses to other nodes as JSON. */
function explainLoss(metadata: unknown): readonly Problem[] {
  try {
    const lost = lostInJson(metadata);
    return lost
      ? [{ at: `metadata${lost.path}`, message: `must be a value that JSON can carry: it is ${lost.what}` }]
      : [];
  } catch {
    return [{ at: 'metadata', message: 'must be a value that JSON can carry' }];
  }
}

function textSet(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set();
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return new Set(list.filter((entry): entry is string => isText(entry, MAX_ENTRY_LENGTH)).slice(0, MAX_LIST_LENGTH));
}

function isTextList(value: unknown): boolean {
  const list: unknown = value instanceof Set ? [...(value as ReadonlySet<unknown>)] : value;
  return (
    Array.isArray(list) && list.length <= MAX_LIST_LENGTH && list.every((entry) => isText(entry, MAX_ENTRY_LENGTH))
  );
}

/**
 * Control characters and line separators: in a log or on a terminal they could forge further output. Lone surrogates: JSON can
 * carry them, but UTF-8 replaces each by the same character, so different names would become one.
 */
const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029]/u;

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength && !UNFIT.test(value);
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= MAX_DATE_S;
}
