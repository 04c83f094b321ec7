import { afterEach, describe, expect, it, vi } from 'vitest';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';
import { TestJwtVerifier, testToken } from './test-jwt-verifier.js';

const verify = async (token: string) => new TestJwtVerifier().verify(token);

describe('a test token', () => {
  afterEach(() => void vi.useRealTimers());

  it('claims the user', async () => {
    expect(await verify(testToken('ann'))).toMatchObject({ sub: 'ann' });
  });

  it('claims what it is given', async () => {
    const claims = { roles: ['admin'], permissions: ['write'], email: 'a@b.c', deep: { a: [1] } };
    expect(await verify(testToken('ann', claims))).toMatchObject(claims);
  });

  it('lives for an hour', async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    expect(await verify(testToken('ann'))).toMatchObject({ exp: 1_000 + 3_600 });
  });

  it('lives as long as it is told', async () => {
    expect(await verify(testToken('ann', { exp: 7 }))).toMatchObject({ exp: 7 });
  });

  it('is for the user that is named, whatever else it claims', async () => {
    expect(await verify(testToken('ann', { sub: 'bob' }))).toMatchObject({ sub: 'ann' });
  });

  it('needs no escaping in a URL', () => {
    expect(testToken('ann', { note: '???>>>ü💥' })).toMatch(/^[\w-]+$/);
  });
});

it.each(['', 'hunter2', 'a.b.c'])('%j is refused as a test token', async (token) => {
  await expect(verify(token)).rejects.toMatchObject({
    code: 'UNAUTHENTICATED',
    message: expect.not.stringContaining('hunter2'),
  });
});

describe('in an environment', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it('that is production no verifier of test tokens is made', () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(() => new TestJwtVerifier()).toThrow(RealtimeConfigurationError);
  });

  it.each(['test', 'development', ''])('%j it is', (name) => {
    vi.stubEnv('NODE_ENV', name);
    expect(() => new TestJwtVerifier()).not.toThrow();
  });
});
