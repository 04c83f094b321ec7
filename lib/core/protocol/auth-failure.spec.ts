import {
  ForbiddenException,
  HttpException,
  InternalServerErrorException,
  NotFoundException,
  ServiceUnavailableException,
  UnauthorizedException,
} from '@nestjs/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { ErrorCode } from './error-code.js';
import { authFailureOf, describeFailure, type FailureSource } from './auth-failure.js';

const APPLICATION: FailureSource[] = ['claims', 'token.from', 'isRevoked', 'metadata', 'Authenticator'];

const withCode = (code: unknown, message = '') => Object.assign(new Error(message), { code });
const named = (name: string) => Object.assign(new Error(''), { name });
const realtime = (code: ErrorCode) => new RealtimeError(code, '');
const causedBy = (cause: unknown) => new Error('', { cause });

describe.each(APPLICATION)('a failure of %s', (source) => {
  it.each<[string, unknown]>([
    ['an error of a database', withCode('P1001')],
    ['a system error', withCode('ECONNREFUSED')],
    ['a mistake in the code', new TypeError('x is not a function')],
    ['an exception of HTTP that is about something else', new NotFoundException()],
    ['a failed server', new InternalServerErrorException()],
    ['a RealtimeError about something else', realtime('VALIDATION_FAILED')],
    ['a failed package', realtime('INTERNAL')],
    ['an error that only has a code like ours', withCode('FORBIDDEN')],
    ['a text', 'no'],
    ['nothing', undefined],
  ])('says nothing about the token: %s', (_what, error) => {
    expect(authFailureOf(error, source)).toBe('UNAVAILABLE');
  });

  it.each<[unknown, string]>([
    [new UnauthorizedException(), 'UNAUTHENTICATED'],
    [new HttpException('locked', 401), 'UNAUTHENTICATED'],
    [new ForbiddenException(), 'FORBIDDEN'],
    [realtime('UNAUTHENTICATED'), 'UNAUTHENTICATED'],
    [realtime('TOKEN_EXPIRED'), 'TOKEN_EXPIRED'],
    [realtime('FORBIDDEN'), 'FORBIDDEN'],
    [realtime('UNAVAILABLE'), 'UNAVAILABLE'],
  ])('refuses the token when it says so: %o as %s', (error, code) => {
    expect(authFailureOf(error, source)).toBe(code);
  });
});

describe('a failure of JwtVerifier', () => {
  const verdict = (error: unknown) => authFailureOf(error, 'JwtVerifier');

  it.each<[string, unknown]>([
    ['any error', new Error('bad token')],
    ['a mistake in the code', new TypeError()],
    ['a refusal', realtime('UNAUTHENTICATED')],
    ['a refusal of another kind', realtime('FORBIDDEN')],
    ['a failed package', realtime('INTERNAL')],
    ['an exception of HTTP', new ForbiddenException()],
    ['an error of a JWT library', Object.assign(withCode('ERR_JWS_INVALID'), { name: 'JWSInvalid' })],
    ['a missing file', withCode('ENOENT')],
    ['a cause that is no failure of the network', causedBy(new SyntaxError())],
    ['a text', 'ECONNREFUSED'],
    ['nothing', undefined],
  ])('means a bad token: %s', (_what, error) => {
    expect(verdict(error)).toBe('UNAUTHENTICATED');
  });

  it('passes on that a token has expired', () => {
    expect(verdict(realtime('TOKEN_EXPIRED'))).toBe('TOKEN_EXPIRED');
  });

  it.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'ETIMEDOUT',
    'EAI_AGAIN',
    'ENOTFOUND',
    'EPIPE',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
    'UND_ERR_HEADERS_TIMEOUT',
    'UND_ERR_SOCKET',
    'ERR_JWKS_TIMEOUT',
  ])('means nothing when the network failed: %s', (code) => {
    expect([verdict(withCode(code)), verdict(causedBy(withCode(code)))]).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
  });

  it.each<[string, unknown]>([
    ['UNAVAILABLE', realtime('UNAVAILABLE')],
    ['TIMEOUT', realtime('TIMEOUT')],
    ['a 5xx of HTTP', new ServiceUnavailableException()],
    ['another 5xx of HTTP', new HttpException('', 599)],
    ['a signal that ran out', named('TimeoutError')],
    ['a signal that was aborted', named('AbortError')],
    ['AbortSignal.timeout()', new DOMException('', 'TimeoutError')],
    ['what fetch makes of it', new TypeError('fetch failed', { cause: withCode('ECONNREFUSED') })],
    ['a cause of a cause', causedBy(causedBy(withCode('ETIMEDOUT')))],
    ['one of several addresses', causedBy(new AggregateError([withCode('ECONNREFUSED')]))],
  ])('means nothing for a while: %s', (_what, error) => {
    expect(verdict(error)).toBe('UNAVAILABLE');
  });

  it('ends although its causes are a circle', () => {
    const error: Error = new Error('', { cause: new Error('') });
    (error.cause as Error).cause = error;
    expect(verdict(error)).toBe('UNAUTHENTICATED');
  });
});

it('comes to an end of the four, and describes without a text, whatever is thrown', () => {
  fc.assert(
    fc.property(fc.anything(), fc.constantFrom(...APPLICATION, 'JwtVerifier' as const), (thrown, source) => {
      const error = new Error('hunter2 is secret', { cause: thrown });
      for (const each of [thrown, error]) {
        expect(['UNAUTHENTICATED', 'TOKEN_EXPIRED', 'FORBIDDEN', 'UNAVAILABLE']).toContain(authFailureOf(each, source));
      }
      expect(describeFailure(error)).not.toContain('hunter2');
    }),
  );
});

describe('the description of a failure', () => {
  it('has names and codes, down to the cause', () => {
    const error = new TypeError('fetch failed: hunter2', { cause: withCode('ECONNREFUSED', 'hunter2') });
    expect(describeFailure(error)).toBe('TypeError, caused by Error ECONNREFUSED');
  });

  it('has no name and no code that may be a part of a token', () => {
    expect(describeFailure(Object.assign(withCode('eyJhbGciOiJ9.e30.'), { name: 'bad eyJhbGciOiJ9' }))).toBe('object');
  });

  it('is the type of what is no error', () => {
    expect([describeFailure('hunter2'), describeFailure(undefined)]).toEqual(['string', 'undefined']);
  });
});
