import { ERROR_CODES, isErrorCode, type ErrorCode } from '../core/protocol/error-code.js';
import { isInstanceByBrand } from './error-brand.js';

const BRAND = Symbol.for('nestjs-realtime:RealtimeError');

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
 * `details` and `retryAfterMs` unchanged; if a controller throws it, the response has the HTTP status of the code.
 * `instanceof` also knows the errors of another copy of the package.
 * @publicApi
 */
export class RealtimeError extends Error {
  override readonly name: string = 'RealtimeError';
  readonly details?: unknown;
  readonly retryAfterMs?: number;

  /** @internal A code that only another version knows could not be told to a client. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      isInstanceByBrand(this, RealtimeError, BRAND, value) &&
      (this !== RealtimeError || isErrorCode((value as RealtimeError).code))
    );
  }

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

  /**
   * The HTTP status that Nest's `BaseExceptionFilter` answers with when a controller throws the error; `undefined` leaves it
   * at a 500 whose text is not told and is logged.
   */
  get statusCode(): number | undefined {
    return this.code === 'INTERNAL' ? undefined : ERROR_CODES[this.code].httpStatus;
  }

  /** The same; with {@link expose} it makes the error one of the `http-errors` kind, which Nest 12 looks for. */
  get status(): number | undefined {
    return this.statusCode;
  }

  /** True: the text may be sent to the client. */
  get expose(): boolean {
    return this.statusCode !== undefined;
  }
}

Object.defineProperty(RealtimeError.prototype, BRAND, { value: true });
