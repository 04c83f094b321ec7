import { ERROR_CODES, type ErrorCode } from '../core/protocol/error-code.js';

/** What may be said about a failure beside its code and text. */
export interface RealtimeErrorOptions {
  /** What a client or caller needs to know to set it right; crosses the wire. */
  readonly details?: unknown;
  /** When trying again makes sense, in milliseconds. */
  readonly retryAfterMs?: number;
  /** What led to it; never crosses the wire. */
  readonly cause?: unknown;
}

/**
 * A failure with a stable code. Thrown by the package; thrown by a handler, it reaches the client as it is
 * (`code`, `message`, `details`, `retryAfterMs`).
 * @publicApi
 */
export class RealtimeError extends Error {
  override readonly name: string = 'RealtimeError';
  readonly details?: unknown;
  readonly retryAfterMs?: number;

  constructor(
    readonly code: ErrorCode,
    message: string,
    { details, retryAfterMs, cause }: RealtimeErrorOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    if (details !== undefined) this.details = details;
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs;
  }

  /** True when the same call may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}
