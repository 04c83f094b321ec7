import { ERROR_CODES, type ErrorCode, type WireError } from '../../core/protocol/error-code.js';
import type { Method } from './method.js';

/** An error as this protocol tells it. */
export interface NumberedError {
  readonly code: number;
  readonly message: string;
  /** True when the SDKs should try again by themselves. */
  readonly temporary?: true;
}

/** The protocol's own numbers (below 400) where it has one that means the same; else the HTTP status. */
const NUMBERS: Readonly<Record<ErrorCode, number>> = {
  INTERNAL: 100,
  UNAUTHENTICATED: 101,
  TOPIC_NOT_FOUND: 102,
  FORBIDDEN: 103,
  NO_HANDLER: 108,
  LIMIT_EXCEEDED: 106,
  INVALID_MESSAGE: 107,
  VALIDATION_FAILED: 107,
  UNKNOWN_ACTION: 108,
  TOKEN_EXPIRED: 109,
  RATE_LIMITED: 111,
  TIMEOUT: ERROR_CODES.TIMEOUT.httpStatus,
  UNAVAILABLE: ERROR_CODES.UNAVAILABLE.httpStatus,
};

const INTERNAL = NUMBERS.INTERNAL;
const METHOD_NOT_FOUND = 104;
const EXPIRED = 110;
const UNRECOVERABLE = 112;
const GONE = 410;
const TEMPORARY_STATUSES = [429, 502, 503, 504];

/** The error that answers a command. */
export function numberedError({ code, httpStatus, message }: WireError, method: Method): NumberedError {
  const number = numberOf(code, httpStatus, method);
  const isTemporary = ERROR_CODES[code].retryable || number === INTERNAL || TEMPORARY_STATUSES.includes(number);
  return { code: number, message, ...(isTemporary && { temporary: true }) };
}

function numberOf(code: ErrorCode, httpStatus: number | undefined, method: Method): number {
  // For the SDKs 109 means "connect anew", which a connection that is being renewed must not.
  if (code === 'TOKEN_EXPIRED') return method === 'refresh' || method === 'sub_refresh' ? EXPIRED : NUMBERS[code];
  if (code === 'NO_HANDLER' && method === 'rpc') return METHOD_NOT_FOUND;
  if (httpStatus === GONE && method === 'history') return UNRECOVERABLE;
  // SDKs act on why a subscription was refused; of other exceptions applications know best what the status means.
  const isKnown = method === 'subscribe' && code !== 'VALIDATION_FAILED';
  return isKnown || !isErrorStatus(httpStatus) ? NUMBERS[code] : httpStatus;
}

/** Below 400 the numbers mean what the protocol says, and not what HTTP says. */
function isErrorStatus(httpStatus: number | undefined): httpStatus is number {
  return httpStatus !== undefined && httpStatus >= 400 && httpStatus < 600;
}
