import { ERROR_CODES, type ErrorCode } from './error-code.js';

/** A refused upgrade: the answer that the client receives instead of a WebSocket. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** The code that an error frame would have; missing where no protocol is spoken yet. */
  readonly code?: ErrorCode;
  readonly message: string;
  /** The text that is logged instead of the message, because the application's own message may quote anything. */
  readonly reason?: string;
  /** When the client may try again, in seconds. */
  readonly retryAfterS?: number;
}

/** The refusal that belongs to an error code. @param retryAfterS when the client may try again, in seconds */
export function refusalOf(code: ErrorCode, message: string, retryAfterS?: number): Refusal {
  return { status: ERROR_CODES[code].httpStatus, code, message, ...(retryAfterS !== undefined && { retryAfterS }) };
}
