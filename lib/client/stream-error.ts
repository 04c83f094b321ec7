/**
 * Why a stream ended before its end.
 *
 * `code` is that of the server (`FORBIDDEN`, … of the plain protocol, a number of an SDK for a refused call), or one of these:
 *
 * - `DISCONNECTED`: the connection was lost, and the stream of the handler with it. Ask again.
 * - `UNSUBSCRIBED`: the subscription that carries a published stream ended.
 * - `TRUNCATED`: pieces of a published stream are missing, or may be since the server has lost some of its topic; `details` is `{ from, to }`,
 *   the numbers of the missing pieces, the one of `to` not included. `to` is left out when it is unknown.
 * - `FAILED`: the source of a published stream failed.
 * - `NO_STREAM`: the server does not stream to this client.
 * @publicApi
 */
export class RealtimeStreamError extends Error {
  override readonly name = 'RealtimeStreamError';

  constructor(
    readonly code: string | number,
    message: string,
    /** True if the same call may succeed later. */
    readonly retryable = false,
    /** Further details from the server. */
    readonly details?: unknown,
  ) {
    super(message);
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** Makes an error of what a server or an SDK says. */
export function streamErrorOf(told: unknown): unknown {
  if (told instanceof Error) return told;
  const { code, message, retryable, temporary, details } = (
    typeof told === 'object' && told !== null ? told : {}
  ) as Fields;
  const isCode = typeof code === 'string' || typeof code === 'number';
  return new RealtimeStreamError(
    isCode ? code : 'INTERNAL',
    typeof message === 'string' ? message : 'The server failed to handle this.',
    retryable === true || temporary === true,
    details,
  );
}

/** The error of a stream whose connection is gone. */
export function disconnected(): RealtimeStreamError {
  return new RealtimeStreamError('DISCONNECTED', 'The connection was lost, and the stream with it.', true);
}
