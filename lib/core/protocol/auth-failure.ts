import { isErrorCode, type ErrorCode } from './error-code.js';

/** The code that failed while a token was being verified. */
export type FailureSource = 'claims' | 'token.from' | 'isRevoked' | 'metadata' | 'Authenticator' | 'JwtVerifier';

/** The error code for a token whose verification failed. All are final for the token, except `UNAVAILABLE`. */
export type AuthFailureCode = Extract<ErrorCode, 'UNAUTHENTICATED' | 'TOKEN_EXPIRED' | 'FORBIDDEN' | 'UNAVAILABLE'>;

/**
 * Decides what a failure says about the token.
 *
 * - **An application's function or `Authenticator`**: nothing, so the client is told to try again (`UNAVAILABLE`), unless
 *   the error says otherwise: a `RealtimeError` with the code `UNAUTHENTICATED`, `TOKEN_EXPIRED` or `FORBIDDEN`, or an
 *   HTTP exception with the status 401 or 403.
 * - **A `JwtVerifier`**: that the token is bad, unless the error is a `RealtimeError` with the code `TOKEN_EXPIRED`,
 *   `UNAVAILABLE` or `TIMEOUT`, an HTTP exception with a status from 500, a timeout or a system error of the network,
 *   by itself or as a `cause`.
 */
export function authFailureOf(error: unknown, source: FailureSource): AuthFailureCode {
  return source === 'JwtVerifier' ? ofVerifier(error) : ofApplication(error);
}

/** The code of a `RealtimeError`; `undefined` for anything else. */
export function realtimeCodeOf(error: unknown): ErrorCode | undefined {
  const { code, retryable } = Object(error) as { code?: unknown; retryable?: unknown };
  // Plenty of errors have a code; only ours say whether a retry makes sense.
  return isErrorCode(code) && typeof retryable === 'boolean' ? code : undefined;
}

/** Describes a failure by names and codes only, because the texts of errors may quote a token or a cookie. */
export function describeFailure(error: unknown): string {
  return chainOf(error)
    .map(({ name, code }) => (code === undefined ? name : `${name} ${code}`))
    .join(', caused by ');
}

function ofApplication(error: unknown): AuthFailureCode {
  switch (realtimeCodeOf(error) ?? httpStatusOf(error)) {
    case 'UNAUTHENTICATED':
    case 401:
      return 'UNAUTHENTICATED';
    case 'FORBIDDEN':
    case 403:
      return 'FORBIDDEN';
    case 'TOKEN_EXPIRED':
      return 'TOKEN_EXPIRED';
    default:
      return 'UNAVAILABLE';
  }
}

function ofVerifier(error: unknown): AuthFailureCode {
  if (realtimeCodeOf(error) === 'TOKEN_EXPIRED') return 'TOKEN_EXPIRED';
  return chainOf(error).some(isPassing) ? 'UNAVAILABLE' : 'UNAUTHENTICATED';
}

interface Link {
  readonly error: unknown;
  readonly name: string;
  /** Matches the shape of a code's name: any other text may be a part of the token. */
  readonly code: string | undefined;
}

/** Most causes that are followed. The bound also ends a chain that is a circle. */
const MAX_CHAIN = 8;

/** The error, then its causes, and what an `AggregateError` holds (Node's, when none of a host's addresses answers). */
function chainOf(error: unknown): readonly Link[] {
  const chain = [linkOf(error)];
  for (let at = 0; at < chain.length && chain.length < MAX_CHAIN; at++) {
    const { cause, errors } = Object(chain[at]!.error) as { cause?: unknown; errors?: unknown };
    const inner: unknown[] = Array.isArray(errors) ? errors : [];
    for (const each of [cause, ...inner]) {
      if (typeof each === 'object' && each !== null && chain.length < MAX_CHAIN) chain.push(linkOf(each));
    }
  }
  return chain;
}

function linkOf(error: unknown): Link {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  return {
    error,
    name: error instanceof Error && isIdentifier(name) ? name : typeof error,
    code: isIdentifier(code) ? code : undefined,
  };
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && /^[A-Za-z]\w{0,63}$/.test(value);
}

/** `E…` of the operating system and the resolver, `UND_ERR_…` of `fetch`, and the timeout of `jose`. */
const PASSING_CODE =
  /^(ECONN\w+|ETIMEDOUT|ESOCKETTIMEDOUT|EAI_AGAIN|ENOTFOUND|EPIPE|E(HOST|NET)(UNREACH|DOWN)|UND_ERR_\w*(TIMEOUT|SOCKET|CLOSED)|ERR_JWKS_TIMEOUT)$/;

const PASSING_NAMES: ReadonlySet<string> = new Set(['AbortError', 'TimeoutError']);

function isPassing({ error, name, code }: Link): boolean {
  const own = realtimeCodeOf(error);
  if (own !== undefined) return own === 'UNAVAILABLE' || own === 'TIMEOUT';
  return (
    (httpStatusOf(error) ?? 0) >= 500 || PASSING_NAMES.has(name) || (code !== undefined && PASSING_CODE.test(code))
  );
}

/** The status of a Nest HTTP exception, of whichever copy of Nest. */
function httpStatusOf(error: unknown): number | undefined {
  const { getStatus } = Object(error) as { getStatus?: unknown };
  if (!(error instanceof Error) || typeof getStatus !== 'function') return undefined;
  const status: unknown = getStatus.call(error);
  return typeof status === 'number' ? status : undefined;
}
