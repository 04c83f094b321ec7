import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERROR_CODES, type ErrorCode } from '../../core/protocol/error-code.js';

/** A refused upgrade: what the client is answered instead of a WebSocket. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** The same code that an error frame would have; missing where no protocol is spoken yet. */
  readonly code?: ErrorCode;
  readonly message: string;
  /** When trying again makes sense, in seconds. */
  readonly retryAfterS?: number;
}

/** The refusal that goes with an error code. */
export function refusalOf(code: ErrorCode, message: string, retryAfterS?: number): Refusal {
  return { status: ERROR_CODES[code].httpStatus, code, message, ...(retryAfterS !== undefined && { retryAfterS }) };
}

/**
 * Answers an upgrade request with a plain HTTP error, as JSON in the shape of Nest's own errors, and ends the socket:
 * `{ "statusCode": 401, "error": "Unauthorized", "code": "UNAUTHENTICATED", "message": "…" }`.
 */
export function refuse(socket: Duplex, { status, code, message, retryAfterS }: Refusal): void {
  const error = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ statusCode: status, error, code, message });
  const headers = [
    `HTTP/1.1 ${status} ${error}`,
    'Connection: close',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(retryAfterS === undefined ? [] : [`Retry-After: ${retryAfterS}`]),
  ];
  // A peer that never reads its answer must not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
