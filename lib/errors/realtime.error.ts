import { ERROR_CODES, type ErrorCode } from '../core/protocol/error-code.js';

/** Details of a failure, apart from its code and text. */
export interface RealtimeErrorOptions {
  /** Information that helps a client or caller to correct the failure; sent to clients. */
  readonly details?: unknown;
  /** Delay after which a retry makes sense, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The underlying error; never sent to clients. */
  readonly cause?: unknown;
}

/**
 * A failure with a stable code. The package throws it; if a handler throws it, the client receives its `code`, `message`,
 * `details` and `retryAfterMs` unchanged.
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

  /** True if the same call may succeed later. */
  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }
}
