import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, errorCodeOfHttpStatus, isErrorCode } from './error-code.js';

const entries = Object.entries(ERROR_CODES);

describe('ERROR_CODES', () => {
  it('holds the codes of the protocol', () => {
    expect(Object.keys(ERROR_CODES).sort()).toEqual([
      'FORBIDDEN',
      'INTERNAL',
      'INVALID_MESSAGE',
      'LIMIT_EXCEEDED',
      'NO_HANDLER',
      'RATE_LIMITED',
      'TIMEOUT',
      'TOKEN_EXPIRED',
      'TOPIC_NOT_FOUND',
      'UNAUTHENTICATED',
      'UNAVAILABLE',
      'UNKNOWN_ACTION',
      'VALIDATION_FAILED',
    ]);
  });

  it('calls only what passes by itself retryable', () => {
    const retryable = entries.flatMap(([code, row]) => (row.retryable ? [code] : []));
    expect(retryable.sort()).toEqual(['RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE']);
  });

  it.each(entries)('%s corresponds to a status of a failure', (_, { httpStatus }) => {
    expect(Math.floor(httpStatus / 100)).toSatisfy((hundreds) => hundreds === 4 || hundreds === 5);
  });

  it.each(entries)('%s says what it means', (_, { meaning }) => {
    expect(meaning).toMatch(/^[A-Z].+\.$/);
  });
});

describe('isErrorCode', () => {
  it('takes the codes of the table', () => {
    expect(Object.keys(ERROR_CODES).every(isErrorCode)).toBe(true);
  });

  it.each([['constructor'], ['__proto__'], ['toString'], ['forbidden'], [''], [403], [null], [['FORBIDDEN']]])(
    'refuses %j',
    (value) => {
      expect(isErrorCode(value)).toBe(false);
    },
  );
});

describe('errorCodeOfHttpStatus', () => {
  it.each(entries)('finds a code with the status of %s', (_, { httpStatus }) => {
    expect(ERROR_CODES[errorCodeOfHttpStatus(httpStatus)].httpStatus).toBe(httpStatus);
  });

  it.each([
    [422, 'VALIDATION_FAILED'],
    [409, 'VALIDATION_FAILED'],
    [502, 'UNAVAILABLE'],
    [504, 'TIMEOUT'],
    [501, 'INTERNAL'],
    [200, 'INTERNAL'],
    [600, 'INTERNAL'],
    [NaN, 'INTERNAL'],
  ])('makes of %d %s', (status, code) => {
    expect(errorCodeOfHttpStatus(status)).toBe(code);
  });

  it('blames the client for 4xx and the server for all else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), (status) => {
        const blame = ERROR_CODES[errorCodeOfHttpStatus(status)].httpStatus < 500;
        // A gateway's timeout (504) is told as TIMEOUT, which corresponds to 408.
        expect(blame).toBe((status >= 400 && status < 500) || status === 504);
      }),
    );
  });
});
