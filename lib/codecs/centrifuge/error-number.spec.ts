import { describe, expect, it } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../../core/protocol/error-code.js';
import { numberedError, unsubscribeNumber, type NumberedError } from './error-number.js';
import { METHODS, type Method } from './method.js';

const CODES = Object.keys(ERROR_CODES) as ErrorCode[];

/**
 * What SDKs are told for each code: the number that answers a command, whether they try again, and the number of the push that
 * ends a subscription.
 */
const TOLD: Readonly<Record<ErrorCode, readonly [number, 'again' | 'with another token' | 'never', number]>> = {
  INTERNAL: [100, 'again', 2500],
  UNAUTHENTICATED: [101, 'never', 2000],
  TOPIC_NOT_FOUND: [102, 'never', 2000],
  FORBIDDEN: [103, 'never', 2000],
  LIMIT_EXCEEDED: [106, 'never', 2000],
  INVALID_MESSAGE: [107, 'never', 2000],
  VALIDATION_FAILED: [107, 'never', 2000],
  NO_HANDLER: [108, 'never', 2000],
  UNKNOWN_ACTION: [108, 'never', 2000],
  TOKEN_EXPIRED: [109, 'with another token', 2501],
  RATE_LIMITED: [111, 'again', 2500],
  TIMEOUT: [408, 'again', 2500],
  UNAVAILABLE: [503, 'again', 2500],
};

/** Returns whether SDKs try again after an error, as they read it. */
function retryAfter({ code, temporary }: NumberedError, method: Method): boolean {
  return temporary === true || (code === 109 && (method === 'connect' || method === 'subscribe'));
}

describe('the number of an error', () => {
  it.each(CODES)('lies where SDKs take no meaning from it that it has not: %s', (code) => {
    const numbers = METHODS.map((method) => numberedError({ code, message: 'm' }, method).code);
    expect(numbers.every((number) => number >= 100 && number < 600)).toBe(true);
  });

  it.each(Object.entries(TOLD))('is the protocol’s own where it has one: %s', (code, [number]) => {
    expect(numberedError({ code: code as ErrorCode, message: 'm' }, 'subscribe').code).toBe(number);
  });

  it('says of a call that there is no such method', () => {
    expect(numberedError({ code: 'NO_HANDLER', message: 'm' }, 'rpc').code).toBe(104);
  });

  it('says of a history that it has begun anew', () => {
    expect(numberedError({ code: 'VALIDATION_FAILED', message: 'm', httpStatus: 410 }, 'history').code).toBe(112);
  });

  it.each(['refresh', 'sub_refresh'] as const)('is another one for a renewal with an expired token: %s', (method) => {
    expect(numberedError({ code: 'TOKEN_EXPIRED', message: 'm' }, method).code).toBe(110);
  });

  it.each([400, 403, 404, 409, 418, 422, 500, 503])('is the status of an exception in a call: %i', (httpStatus) => {
    expect(numberedError({ code: 'VALIDATION_FAILED', message: 'm', httpStatus }, 'rpc').code).toBe(httpStatus);
  });

  it.each([0, 42, 105, 304, 600])('is the protocol’s own where the status is none of an error: %i', (httpStatus) => {
    expect(numberedError({ code: 'INTERNAL', message: 'm', httpStatus }, 'rpc').code).toBe(100);
  });

  it('is the protocol’s own where SDKs act on an exception: in a subscription', () => {
    expect(numberedError({ code: 'FORBIDDEN', message: 'm', httpStatus: 403 }, 'subscribe').code).toBe(103);
  });

  it('is the status where the protocol has no number: in a subscription too', () => {
    expect(numberedError({ code: 'VALIDATION_FAILED', message: 'm', httpStatus: 422 }, 'subscribe').code).toBe(422);
  });
});

describe.each(METHODS)('SDKs try again after an error that answers %s', (method) => {
  it.each(Object.entries(TOLD))('when its reason may pass, and at no other time: %s', (code, [, when]) => {
    const isRetried = retryAfter(numberedError({ code: code as ErrorCode, message: 'm' }, method), method);
    const takesTokens = ['connect', 'subscribe', 'refresh', 'sub_refresh'].includes(method);
    expect(isRetried).toBe(when === 'again' || (when === 'with another token' && takesTokens));
  });
});

describe('the number of the end of a subscription', () => {
  it.each(Object.entries(TOLD))('says whether SDKs subscribe again: %s', (code, [, when, number]) => {
    expect([unsubscribeNumber(code as ErrorCode), number >= 2500]).toEqual([number, when !== 'never']);
  });

  it('is final without an error', () => {
    expect(unsubscribeNumber(undefined)).toBe(2000);
  });
});

describe('an error is temporary', () => {
  it.each(CODES.filter((code) => ERROR_CODES[code].retryable))('when trying again may help: %s', (code) => {
    expect(numberedError({ code, message: 'm' }, 'rpc').temporary).toBe(true);
  });

  it('when the server failed, so that a subscription is not given up', () => {
    expect(numberedError({ code: 'INTERNAL', message: 'm' }, 'subscribe').temporary).toBe(true);
  });

  it.each([429, 502, 503, 504])('when its status says so: %i', (httpStatus) => {
    expect(numberedError({ code: 'VALIDATION_FAILED', message: 'm', httpStatus }, 'rpc').temporary).toBe(true);
  });

  it.each(['FORBIDDEN', 'TOPIC_NOT_FOUND', 'VALIDATION_FAILED', 'TOKEN_EXPIRED'] as const)('and not for %s', (code) => {
    expect(numberedError({ code, message: 'm' }, 'rpc')).not.toHaveProperty('temporary');
  });
});
