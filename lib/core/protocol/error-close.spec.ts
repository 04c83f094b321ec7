import { describe, expect, it } from 'vitest';
import { closeCodeOf } from './error-close.js';
import { ERROR_CODES, type ErrorCode } from './error-code.js';

describe('an error that ends a connection', () => {
  const expected: Partial<Record<ErrorCode, string>> = {
    UNAUTHENTICATED: 'INVALID_TOKEN',
    TOKEN_EXPIRED: 'EXPIRED',
    FORBIDDEN: 'PERMISSION_DENIED',
    INVALID_MESSAGE: 'BAD_REQUEST',
    VALIDATION_FAILED: 'BAD_REQUEST',
    LIMIT_EXCEEDED: 'CONNECTION_LIMIT',
  };

  it.each(Object.keys(ERROR_CODES) as ErrorCode[])('has a close code: %s', (code) => {
    expect(closeCodeOf(code)).toBe(expected[code] ?? 'SERVER_ERROR');
  });
});
