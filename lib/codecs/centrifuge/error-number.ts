import { ERROR_CODES, type ErrorCode, type WireError } from '../../core/protocol/error-code.js';
import type { Method } from './method.js';

/** An error in the form of this protocol. */
export interface NumberedError {
  readonly code: number;
  readonly message: string;
  /** True if SDKs should retry by themselves. */
  readonly temporary?: true;
}

/** The protocol's own number (below 400) if it has an equivalent one; else the HTTP status. */
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

/** The error of a recovery that failed. SDKs load their state anew and subscribe again. */
export const UNRECOVERABLE: NumberedError = { code: 112, message: 'Something was missed that cannot be recovered.' };

const METHOD_NOT_FOUND = 104;
const EXPIRED = 110;
const GONE = 410;
const TEMPORARY_STATUSES = [429, 502, 503, 504];

/** The numbers of unsubscribe pushes. SDKs subscribe again from 2500 on. */
const UNSUBSCRIBED = 2000;
/** Ends a subscription until the client resubscribes with its last position. */
export const INSUFFICIENT_STATE = 2500;
/** Ends it until the client resubscribes, if need be with a new token. */
const SUBSCRIPTION_EXPIRED = 2501;

/** Returns the error that answers a command. */
export function numberedError({ code, httpStatus, message }: WireError, method: Method): NumberedError {
  const number = numberOf(code, httpStatus, method);
  // An SDK whose new token is refused for its age gets another one only if the error is temporary. Any other error is final.
  const isTooOld = code === 'TOKEN_EXPIRED' && isRenewal(method);
  const isTemporary = isTooOld || isPassing(code, number) || TEMPORARY_STATUSES.includes(number);
  return { code: number, message, ...(isTemporary && { temporary: true }) };
}

/**
 * Returns the number of the push that ends a subscription.
 * @param code the error that ended it; `undefined` if the application did
 */
export function unsubscribeNumber(code: ErrorCode | undefined): number {
  if (code === undefined) return UNSUBSCRIBED;
  if (code === 'TOKEN_EXPIRED') return SUBSCRIPTION_EXPIRED;
  return isPassing(code, NUMBERS[code]) ? INSUFFICIENT_STATE : UNSUBSCRIBED;
}

/** True for an error after which the same command may succeed. SDKs retry after an internal error as well. */
function isPassing(code: ErrorCode, number: number): boolean {
  return ERROR_CODES[code].retryable || number === NUMBERS.INTERNAL;
}

function isRenewal(method: Method): boolean {
  return method === 'refresh' || method === 'sub_refresh';
}

function numberOf(code: ErrorCode, httpStatus: number | undefined, method: Method): number {
  if (code === 'TOKEN_EXPIRED') return isRenewal(method) ? EXPIRED : NUMBERS[code];
  if (code === 'NO_HANDLER' && method === 'rpc') return METHOD_NOT_FOUND;
  if (httpStatus === GONE && method === 'history') return UNRECOVERABLE.code;
  // SDKs act on the reason for a refused subscription. For other commands the application defines what its status means.
  const isKnown = method === 'subscribe' && code !== 'VALIDATION_FAILED';
  return isKnown || !isErrorStatus(httpStatus) ? NUMBERS[code] : httpStatus;
}

/** Numbers below 400 belong to the protocol, not to HTTP. */
function isErrorStatus(httpStatus: number | undefined): httpStatus is number {
  return httpStatus !== undefined && httpStatus >= 400 && httpStatus < 600;
}
