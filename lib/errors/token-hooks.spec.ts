import { UnauthorizedException } from '@nestjs/common';
import { inspect } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { RealtimeError } from './realtime.error.js';
import { TokenHooks } from './token-hooks.js';

const SECRET = 'hunter2';
let now: number;
let logged: unknown[][];
let hooks: TokenHooks;

beforeEach(() => {
  now = 0;
  logged = [];
  hooks = new TokenHooks({ error: (...line: unknown[]) => void logged.push(line) }, () => now);
});

const failing = (reason: unknown, source: Parameters<TokenHooks['run']>[0] = 'claims') =>
  Promise.resolve(hooks.run(source, () => Promise.reject(reason))).catch((failure: unknown) => failure);

describe('a function of the application that judges tokens', () => {
  it('answers what it answers, and when it does', async () => {
    expect(hooks.run('claims', () => 7)).toBe(7);
    expect(await hooks.run('claims', async () => 7)).toBe(7);
  });

  it('may throw at once or reject', async () => {
    const throwing = () =>
      hooks.run('isRevoked', () => {
        throw new TypeError(SECRET);
      });
    expect(throwing).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    expect(await failing(new TypeError(SECRET))).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is told about to the client with nothing of its error', async () => {
    const failures = [await failing(new TypeError(SECRET)), await failing(new UnauthorizedException(SECRET))];
    expect(inspect([failures, logged], { depth: null })).not.toContain(SECRET);
    expect(failures).toMatchObject([{ code: 'UNAVAILABLE' }, { code: 'UNAUTHENTICATED' }]);
  });

  it('says by itself what the client is told, and when to try again', async () => {
    const error = new RealtimeError('UNAVAILABLE', 'The directory is away.', { retryAfterMs: 5_000 });
    expect(await failing(error)).toBe(error);
  });
});

describe('a failure that says nothing about the token', () => {
  it('is logged once per kind', async () => {
    for (let n = 0; n < 3; n++) await failing(new TypeError(SECRET));
    await failing(new TypeError(SECRET), 'isRevoked');
    await failing(new RangeError(SECRET));
    expect(logged.map(([text]) => text)).toEqual([
      'claims failed, so tokens cannot be verified (UNAVAILABLE): TypeError',
      'isRevoked failed, so tokens cannot be verified (UNAVAILABLE): TypeError',
      'claims failed, so tokens cannot be verified (UNAVAILABLE): RangeError',
    ]);
  });

  it('is logged again after a minute', async () => {
    for (now of [0, 59_999, 60_000]) await failing(new TypeError(SECRET));
    expect(logged).toHaveLength(2);
  });

  it('is logged with its causes, and where it was thrown', async () => {
    await failing(new Error(SECRET, { cause: Object.assign(new Error(SECRET), { code: 'ECONNREFUSED' }) }));
    expect(logged).toEqual([
      [expect.stringMatching(/: Error, caused by Error ECONNREFUSED$/), expect.stringContaining('token-hooks.spec.ts')],
    ]);
  });

  it('is not logged anew by those who pass it on', async () => {
    const failure = await failing(new TypeError(SECRET));
    expect([await failing(failure, 'Authenticator'), logged.length]).toEqual([failure, 1]);
  });

  it('of any number of kinds fills neither the log nor the memory: those beyond 64 share a line', async () => {
    for (let n = 0; n < 250; n++) await failing(Object.assign(new Error(SECRET), { code: `E${n}` }));
    expect(logged).toHaveLength(65);
  });
});

it('a value that cannot be used is logged once per fault, and the client may try again', async () => {
  const failures = ['metadata must be an object', 'metadata must be an object', 'metadata.seats is a Set'].map(
    (fault) => hooks.unusable('metadata', fault),
  );
  expect(failures.map(({ code }) => code)).toEqual(['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
  expect(logged.map(([text]) => text)).toEqual([
    'metadata returned a value that cannot be used, so nobody is let in (UNAVAILABLE): metadata must be an object',
    'metadata returned a value that cannot be used, so nobody is let in (UNAVAILABLE): metadata.seats is a Set',
  ]);
});

it('a refusal is not logged as a failure', async () => {
  await failing(new UnauthorizedException(), 'claims');
  await failing(new Error(SECRET), 'JwtVerifier');
  expect(logged).toEqual([]);
});

it('a verifier that says UNAVAILABLE logs that by itself', async () => {
  await failing(new RealtimeError('UNAVAILABLE', 'The key server is away.'), 'JwtVerifier');
  expect(logged).toEqual([]);
});
