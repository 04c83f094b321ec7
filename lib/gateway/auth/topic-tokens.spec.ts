import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import type { JwtClaims } from '../../core/identity/claims.js';
import type { ErrorCode } from '../../core/protocol/error-code.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { JwtVerifier } from '../../ports/jwt-verifier.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import { TopicTokens } from './topic-tokens.js';

const NOW_S = 1_000;
const GOOD = { sub: 'ann', channel: 'room:1', exp: NOW_S + 60 };
const SECRET = 'hunter2';

let verify: MockInstance<JwtVerifier['verify']> & JwtVerifier['verify'];
let logged: string[];

beforeEach(() => {
  verify = vi.fn<JwtVerifier['verify']>().mockResolvedValue(GOOD);
  logged = [];
  for (const level of ['debug', 'error', 'warn', 'log'] as const) {
    vi.spyOn(Logger.prototype, level).mockImplementation((text: unknown) => void logged.push(String(text)));
  }
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function judge(options: RealtimeOptions = {}, address?: string) {
  const tokens = new TopicTokens({ verify }, { now: () => NOW_S * 1_000 }, new RealtimeSettings(options));
  return tokens.judge('a token', 'room:1', 'ann', address);
}

const AT = { action: 'subscribe', topic: 'room:1' };
const refused = (code: ErrorCode) => ({ ok: false, error: { ...AT, code, message: expect.any(String) } });

describe('a token for a topic', () => {
  it('grants access until it expires', async () => {
    expect(await judge()).toEqual({ ok: true, expiresAt: new Date(GOOD.exp * 1_000) });
    expect(verify).toHaveBeenCalledExactlyOnceWith('a token', { purpose: 'topic' });
  });

  it('is verified with the address of the client, if that is known', async () => {
    await judge({}, '192.0.2.1');
    expect(verify).toHaveBeenCalledExactlyOnceWith('a token', { purpose: 'topic', address: '192.0.2.1' });
  });

  it('grants access while it has expired within the tolerance', async () => {
    verify.mockResolvedValue({ ...GOOD, exp: NOW_S - 4 });
    expect(await judge()).toMatchObject({ ok: true });
  });

  it.each<[string, JwtClaims]>([
    ['is for another topic', { ...GOOD, channel: 'room:2' }],
    ['is for topics like it', { ...GOOD, channel: 'room:*' }],
    ['is for another user', { ...GOOD, sub: 'bob' }],
    ['is one to connect with', { sub: 'ann', exp: GOOD.exp }],
    ['never ends', { sub: 'ann', channel: 'room:1' }],
  ])('opens nothing when it %s', async (_why, claims) => {
    verify.mockResolvedValue(claims);
    expect(await judge()).toEqual(refused('FORBIDDEN'));
  });

  it('is refused with TOKEN_EXPIRED once it has expired', async () => {
    verify.mockResolvedValue({ ...GOOD, exp: 1 });
    expect(await judge()).toEqual(refused('TOKEN_EXPIRED'));
  });

  it.each<[ErrorCode, ErrorCode]>([
    ['TOKEN_EXPIRED', 'TOKEN_EXPIRED'],
    ['UNAVAILABLE', 'UNAVAILABLE'],
    ['UNAUTHENTICATED', 'FORBIDDEN'],
    ['INTERNAL', 'FORBIDDEN'],
  ])('on which the verifier fails with %s is refused with %s', async (code, told) => {
    verify.mockRejectedValue(new RealtimeError(code, SECRET));
    expect(await judge()).toEqual(refused(told));
  });

  it('is refused with UNAVAILABLE if the network of the verifier fails', async () => {
    verify.mockRejectedValue(new TypeError(SECRET, { cause: Object.assign(new Error(SECRET), { code: 'ENOTFOUND' }) }));
    expect(await judge()).toEqual(refused('UNAVAILABLE'));
    expect(JSON.stringify(logged)).not.toContain(SECRET);
  });

  it('is refused with UNAVAILABLE if the verifier takes too long', async () => {
    vi.useFakeTimers();
    verify.mockReturnValue(new Promise(() => undefined));
    const outcome = judge({ limits: { authTimeoutMs: 500 } });
    await vi.advanceTimersByTimeAsync(500);
    expect(await outcome).toEqual(refused('UNAVAILABLE'));
  });
});

describe('a token that may be revoked', () => {
  it('grants access while it is not revoked; isRevoked receives its claims', async () => {
    const isRevoked = vi.fn(async () => false);
    expect(await judge({ isRevoked })).toMatchObject({ ok: true });
    expect(isRevoked).toHaveBeenCalledExactlyOnceWith(GOOD);
  });

  it('grants nothing once it is revoked', async () => {
    expect(await judge({ isRevoked: () => true })).toEqual(refused('FORBIDDEN'));
  });

  it('grants nothing while isRevoked fails', async () => {
    const fails = () => Promise.reject(new TypeError(SECRET));
    expect(await judge({ isRevoked: fails })).toEqual(refused('UNAVAILABLE'));
    expect(logged).toEqual(['isRevoked failed, so tokens cannot be verified (UNAVAILABLE): TypeError']);
  });
});

describe('arbitrary results of the verifier', () => {
  const bits = fc.oneof(fc.jsonValue(), fc.constantFrom(undefined, NaN, Infinity, 1e300, 'room:1', 'ann'));
  const claims = fc.oneof(
    bits,
    fc.record({ sub: bits, channel: bits, exp: bits, iat: bits }, { requiredKeys: [] }),
    fc.record({ sub: fc.constant('ann'), channel: fc.constant('room:1'), exp: bits }),
  );

  it('grant access only with claims that name user, topic and expiry, and never throw', async () => {
    await fc.assert(
      fc.asyncProperty(claims, async (given) => {
        verify.mockResolvedValue(given as JwtClaims);
        const outcome = await judge();
        const { sub, channel, exp } = (given ?? {}) as JwtClaims;
        const isGood =
          sub === 'ann' && channel === 'room:1' && typeof exp === 'number' && exp > NOW_S - 5 && exp < 1e12;
        if (outcome.ok) expect([isGood, Number.isNaN(outcome.expiresAt.getTime())]).toEqual([true, false]);
        else expect(['FORBIDDEN', 'TOKEN_EXPIRED']).toContain(outcome.error.code);
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, () => Promise<JwtClaims>]>([
    ['rejects with an error', () => Promise.reject(new TypeError(SECRET))],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- applications do
    ['rejects with no error', () => Promise.reject(SECRET)],
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- applications do
    ['rejects with nothing', () => Promise.reject(undefined)],
    [
      'throws',
      () => {
        throw new TypeError(SECRET);
      },
    ],
  ])('neither clients nor the log are told why, when it %s', async (_how, fails) => {
    verify.mockImplementation(fails);
    const outcome = await judge();
    expect(outcome).toEqual(refused('FORBIDDEN'));
    expect(JSON.stringify([outcome, logged])).not.toContain(SECRET);
  });
});
