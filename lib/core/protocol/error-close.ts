import type { CloseCodeName } from './close-code.js';
import type { ErrorCode } from './error-code.js';

/** The close code of a connection that ends because of an error: of its first command, or of an `@OnConnect()` hook. */
export function closeCodeOf(code: ErrorCode): CloseCodeName {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'INVALID_TOKEN';
    case 'TOKEN_EXPIRED':
      return 'EXPIRED';
    case 'FORBIDDEN':
      return 'PERMISSION_DENIED';
    case 'INVALID_MESSAGE':
    case 'VALIDATION_FAILED':
      return 'BAD_REQUEST';
    case 'LIMIT_EXCEEDED':
      return 'CONNECTION_LIMIT';
    default:
      return 'SERVER_ERROR';
  }
}
