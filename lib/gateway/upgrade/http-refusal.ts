import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../../core/protocol/upgrade-refusal.js';

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
  // It may fail at any moment; an `error` event without a listener would end the process.
  socket.on('error', () => socket.destroy());
  // A peer that never reads the response must not keep the socket open.
  socket.once('finish', () => socket.destroy());
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`);
}
