/**
 * Why the server closes a WebSocket, in one table for all codecs. A client reconnects on 3000–3499 and stops on
 * 3500–3999; the reason is prose, never empty: clients exist that take an empty or a purely numeric reason for a sign.
 */
export const CLOSE_CODES = {
  DISCONNECTED: { code: 3000, reconnect: true, reason: 'connection closed by the server' },
  SHUTDOWN: { code: 3001, reconnect: true, reason: 'server is shutting down, please reconnect' },
  SERVER_ERROR: { code: 3004, reconnect: true, reason: 'server failed to handle the connection' },
  EXPIRED: { code: 3005, reconnect: true, reason: 'token expired, get a new one and reconnect' },
  SLOW: { code: 3008, reconnect: true, reason: 'reads too slowly' },
  INSUFFICIENT_STATE: { code: 3010, reconnect: true, reason: 'messages were missed on the way' },
  NO_PONG: { code: 3012, reconnect: true, reason: 'did not answer a ping' },
  TOO_MANY_REQUESTS: { code: 3013, reconnect: true, reason: 'too many requests, please slow down' },
  INVALID_TOKEN: { code: 3500, reconnect: false, reason: 'invalid token' },
  BAD_REQUEST: { code: 3501, reconnect: false, reason: 'bad request' },
  STALE: { code: 3502, reconnect: false, reason: 'did not authenticate in time' },
  FORCED: { code: 3503, reconnect: false, reason: 'disconnected by the application' },
  CONNECTION_LIMIT: { code: 3504, reconnect: false, reason: 'the user has too many connections' },
  PERMISSION_DENIED: { code: 3507, reconnect: false, reason: 'permission denied' },
  TOO_MANY_ERRORS: { code: 3509, reconnect: false, reason: 'too many mistakes' },
} as const satisfies Record<string, { code: number; reconnect: boolean; reason: string }>;

/** A stable name for the reason of a close. */
export type CloseCodeName = keyof typeof CLOSE_CODES;

/** True when a client that was closed with this code is to stay away. */
export function isFinalClose(code: number): boolean {
  return code >= 3500 && code < 4000;
}

/** True for what no client takes for anything but a text: it is not empty, and no JSON (a number, `true`, an object). */
export function isProse(text: string): boolean {
  if (text.trim() === '') return false;
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

/** Most bytes of a close frame's reason (RFC 6455, 5.5). */
export const MAX_REASON_BYTES = 123;
