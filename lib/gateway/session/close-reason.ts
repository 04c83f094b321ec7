import { isProse, MAX_REASON_BYTES, type CloseCodeName } from '../../core/protocol/close-code.js';
import type { ErrorCode } from '../../core/protocol/error-code.js';

/** How a connection ends that failed to authenticate, or that a hook did not want. */
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

/** A text as the reason of a close frame: what there is room for, or nothing when it is no prose. */
export function asReason(text: string): string | undefined {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return isProse(text) ? text.trim() : undefined;
  const room = MAX_REASON_BYTES - Buffer.byteLength('…');
  const shortened = Buffer.from(text).subarray(0, room).toString();
  // A character that was cut in two decodes as U+FFFD.
  return `${shortened.replace(/\uFFFD$/, '')}…`;
}
