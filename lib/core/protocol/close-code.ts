/**
 * The close codes of the server, in one table for all codecs. A client reconnects on 3000–3499 and stops on 3500–3999. The
 * reason is prose and never empty, because some clients treat an empty or purely numeric reason as a signal.
 */
export const CLOSE_CODES = {
  DISCONNECTED: { code: 3000, reconnect: true, reason: 'connection closed by the server' },
  SHUTDOWN: { code: 3001, reconnect: true, reason: 'server is shutting down, please reconnect' },
  SERVER_ERROR: { code: 3004, reconnect: true, reason: 'server failed to handle the connection' },
  EXPIRED: { code: 3005, reconnect: true, reason: 'token expired, get a new one and reconnect' },
  SLOW: { code: 3008, reconnect: true, reason: 'slow consumer, reads too slowly' },
  INSUFFICIENT_STATE: { code: 3010, reconnect: true, reason: 'messages were missed on the way' },
  NO_PONG: { code: 3012, reconnect: true, reason: 'heartbeat timeout, did not answer a ping' },
  TOO_MANY_REQUESTS: { code: 3013, reconnect: true, reason: 'too many requests, please slow down' },
  INVALID_TOKEN: { code: 3500, reconnect: false, reason: 'invalid token' },
  BAD_REQUEST: { code: 3501, reconnect: false, reason: 'bad request' },
  STALE: { code: 3502, reconnect: false, reason: 'did not authenticate in time' },
  FORCED: { code: 3503, reconnect: false, reason: 'disconnected by the application' },
  CONNECTION_LIMIT: { code: 3504, reconnect: false, reason: 'the user has too many connections' },
  PERMISSION_DENIED: { code: 3507, reconnect: false, reason: 'permission denied' },
  TOO_MANY_ERRORS: { code: 3509, reconnect: false, reason: 'too many errors' },
} as const satisfies Record<string, { code: number; reconnect: boolean; reason: string }>;

/** Stable name of a close code. */
export type CloseCodeName = keyof typeof CLOSE_CODES;

const ABUSE: readonly CloseCodeName[] = ['TOO_MANY_REQUESTS', 'TOO_MANY_ERRORS', 'BAD_REQUEST'];

/** True for a close because of abuse by the client: nothing more that it sends is parsed. */
export function isForAbuse(name: CloseCodeName): boolean {
  return ABUSE.includes(name);
}

/** True if a client must not reconnect after this close code. */
export function isFinalClose(code: number): boolean {
  return code >= 3500 && code < 4000;
}

/** True for a text that no client can mistake for data: not empty, and not JSON (a number, `true`, an object). */
export function isProse(text: string): boolean {
  if (text.trim() === '') return false;
  try {
    JSON.parse(text);
    return false;
  } catch {
    return true;
  }
}

/** Maximum length of a close reason, in bytes (RFC 6455, 5.5). */
export const MAX_REASON_BYTES = 123;
