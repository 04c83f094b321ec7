/**
 * Every error code that a client can receive, with the corresponding HTTP status, and whether a retry of the same command
 * may succeed. Codes are stable; texts are not.
 */
export const ERROR_CODES = {
  INVALID_MESSAGE: {
    httpStatus: 400,
    retryable: false,
    meaning: 'The frame is not a command: bad JSON, a missing or ill-typed field.',
  },
  UNKNOWN_ACTION: { httpStatus: 400, retryable: false, meaning: 'There is no such action.' },
  VALIDATION_FAILED: {
    httpStatus: 400,
    retryable: false,
    meaning: 'A value was refused; `details` says which and why.',
  },
  UNAUTHENTICATED: { httpStatus: 401, retryable: false, meaning: 'No token, or an invalid one.' },
  TOKEN_EXPIRED: { httpStatus: 401, retryable: false, meaning: 'The token has expired; get a new one.' },
  FORBIDDEN: {
    httpStatus: 403,
    retryable: false,
    meaning: 'Known, but not allowed; also a message to a topic without a subscription.',
  },
  TOPIC_NOT_FOUND: { httpStatus: 404, retryable: false, meaning: 'No pattern of the application matches the topic.' },
  NO_HANDLER: {
    httpStatus: 404,
    retryable: false,
    meaning: 'The topic takes no such message, keeps no history, or has no presence.',
  },
  TIMEOUT: { httpStatus: 408, retryable: true, meaning: 'It took too long.' },
  LIMIT_EXCEEDED: { httpStatus: 413, retryable: false, meaning: 'A limit in size or number was reached.' },
  RATE_LIMITED: {
    httpStatus: 429,
    retryable: true,
    meaning: 'Too much in too short a time; `retryAfterMs` says when to try again.',
  },
  INTERNAL: { httpStatus: 500, retryable: false, meaning: 'The server failed; its log has the reason.' },
  UNAVAILABLE: { httpStatus: 503, retryable: true, meaning: 'Temporarily unavailable; try again later.' },
} as const satisfies Record<string, { httpStatus: number; retryable: boolean; meaning: string }>;

/** Stable name of an error. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True for one of the codes in the table. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}

/** Returns the code for an HTTP status, such as that of a Nest exception. */
export function errorCodeOfHttpStatus(status: number): ErrorCode {
  switch (status) {
    case 401:
      return 'UNAUTHENTICATED';
    case 403:
      return 'FORBIDDEN';
    case 404:
      return 'TOPIC_NOT_FOUND';
    case 408:
    case 504:
      return 'TIMEOUT';
    case 413:
      return 'LIMIT_EXCEEDED';
    case 429:
      return 'RATE_LIMITED';
    case 502:
    case 503:
      return 'UNAVAILABLE';
    default:
      return status >= 400 && status < 500 ? 'VALIDATION_FAILED' : 'INTERNAL';
  }
}

/** An error as a client receives it. */
export interface WireError {
  readonly code: ErrorCode;
  /** Text for developers; may change. */
  readonly message: string;
  /** The action that failed. */
  readonly action?: string;
  readonly topic?: string;
  readonly retryAfterMs?: number;
  /** HTTP status of a Nest exception, or one more specific than the code, for protocols that carry it. */
  readonly httpStatus?: number;
  /** The result of a validation, or the body of a Nest HTTP exception. */
  readonly details?: unknown;
}

/** Returns the payload of `realtime:error`. */
export function errorPayload({ code, httpStatus: _told, ...rest }: WireError): object {
  return { code, retryable: ERROR_CODES[code].retryable, ...rest };
}
