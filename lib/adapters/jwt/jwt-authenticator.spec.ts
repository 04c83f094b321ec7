import { createHmac, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { barePromise } from '../../../test/helpers/bare-promise.js';
import type { JwtClaims } from '../../core/identity/claims.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import type { AuthenticateOptions } from '../../ports/authenticator.js';
import type { ConnectInfo } from '../../ports/connect-info.js';
import type { JwtVerifier } from '../../ports/jwt-verifier.js';
import { JwtAuthenticator, type JwtAuthenticatorOptions } from './jwt-authenticator.js';
import { NestJwtVerifier } from './nest-jwt-verifier.js';

const NOW_S = 1_800_000_000;
const DAY_S = 86_400;
const clock = { now: () => NOW_S * 1_000 };
const valid: JwtClaims = { sub: 'ann', exp: NOW_S + 60 };

const log = { debug: vi.fn(), error: vi.fn() };

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'debug').mockImplementation(log.debug.mockReset());
  vi.spyOn(Logger.prototype, 'error').mockImplementation(log.error.mockReset());
});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('JwtAuthenticator', () => {
  it('reads user, roles, permissions and metadata out of the claims', async () => {
    const claims = { ...valid, roles: ['admin'], permissions: ['read'], email: 'ann@example.com' };
    await expect(authenticate(claims)).resolves.toEqual({
      identity: {
        userId: 'ann',
        roles: new Set(['admin']),
        permissions: new Set(['read']),
        metadata: { email: 'ann@example.com' },
      },
      expiresAt: new Date((NOW_S + 60) * 1_000),
    });
  });

  describe('judges claims', () => {
    it.each<[string, JwtClaims]>([
      ['an exp 40 days ahead', { ...valid, exp: NOW_S + 40 * DAY_S }],
      ['an exp that is the last date there is', { ...valid, exp: 8_640_000_000_000 }],
      ['an exp 4 s ago, within the tolerance', { ...valid, exp: NOW_S - 4 }],
      ['a sub of 128 characters', { ...valid, sub: 'a'.repeat(128) }],
    ])('accepts %s', async (_what, claims) => {
      await expect(authenticate(claims)).resolves.toMatchObject({ identity: { userId: claims.sub } });
    });

    it.each<[string, JwtClaims, string]>([
      ['no sub', { exp: valid.exp! }, 'sub'],
      ['an empty sub', { ...valid, sub: '' }, 'sub'],
      ['a sub of 129 characters', { ...valid, sub: 'a'.repeat(129) }, 'sub'],
      ['a sub that is an object', { ...valid, sub: { id: 'ann' } as never }, 'sub'],
      ['a sub that is a number', { ...valid, sub: 7 as never }, 'sub'],
      ['a sub with a line break', { ...valid, sub: 'ann\nroot' }, 'sub'],
      ['a sub with a null character', { ...valid, sub: 'ann\0' }, 'sub'],
      ['a sub with an escape sequence of terminals', { ...valid, sub: '\u001b[2Jann' }, 'sub'],
      ['a sub with a line separator', { ...valid, sub: 'ann\u2028root' }, 'sub'],
      ['a token for a topic', { ...valid, channel: 'room:1' }, 'channel'],
      ['a token for an empty topic', { ...valid, channel: '' }, 'channel'],
      ['no exp', { sub: 'ann' }, 'exp'],
      ['an exp of 1e300', { ...valid, exp: 1e300 }, 'exp'],
      ['an exp as text', { ...valid, exp: String(valid.exp) as never }, 'exp'],
      ['an exp of NaN', { ...valid, exp: NaN }, 'exp'],
      ['an nbf of Infinity', { ...valid, nbf: Infinity }, 'nbf'],
      ['claims that are no object', 'ann' as never, 'claims'],
    ])('refuses %s', async (_what, claims, at) => {
      const error = await failureOf(authenticate(claims));
      expect(error).toMatchObject({ code: 'UNAUTHENTICATED', details: [{ at }] });
    });

    it('leaves out roles and permissions with control characters or lone surrogates', async () => {
      const claims = { ...valid, roles: ['admin\n', 'a\u0085b', '\ud800', 'staff'], permissions: ['\u007f', 'read'] };
      await expect(authenticate(claims)).resolves.toMatchObject({
        identity: { roles: new Set(['staff']), permissions: new Set(['read']) },
      });
    });

    it('says when a token was issued', async () => {
      await expect(authenticate({ ...valid, iat: NOW_S })).resolves.toMatchObject({
        issuedAt: new Date(NOW_S * 1_000),
      });
    });

    it('grants no roles for roles that are an object', async () => {
      const claims = { ...valid, roles: { admin: true } };
      await expect(authenticate(claims)).resolves.toMatchObject({ identity: { roles: new Set() } });
    });

    it('repeats no value of a claim in its details', async () => {
      const error = await failureOf(authenticate({ sub: { id: 'zqx-marker' } as never, exp: 'zqx-marker' as never }));
      expect(inspect(error, { depth: null })).not.toContain('zqx-marker');
    });
  });

  describe('judges the age of a token', () => {
    const expired = { ...valid, exp: NOW_S - 5 };

    it('refuses with TOKEN_EXPIRED once the tolerance is used up', async () => {
      await expect(failureOf(authenticate(expired))).resolves.toMatchObject({ code: 'TOKEN_EXPIRED' });
    });

    it('accepts an expired token when that is allowed, and says when it expired', async () => {
      const answer = await authenticator(expired).authenticate('token', { allowExpired: true });
      expect(answer.expiresAt).toEqual(new Date((NOW_S - 5) * 1_000));
    });

    it('refuses a token without exp even when expired ones are allowed', async () => {
      const answer = authenticator({ sub: 'ann' }).authenticate('token', { allowExpired: true });
      await expect(failureOf(answer)).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
    });
  });

  describe('with a claims function', () => {
    it('takes the identity that the function returns', async () => {
      const claims = ({ sub }: JwtClaims) => ({ userId: `user-${sub}`, roles: new Set(['staff']), metadata: { a: 1 } });
      await expect(authenticate(valid, { claims })).resolves.toMatchObject({
        identity: { userId: 'user-ann', roles: new Set(['staff']), permissions: new Set(), metadata: { a: 1 } },
      });
    });

    it.each<[string, AuthenticateOptions | undefined, ConnectInfo]>([
      [
        'what is known of the client',
        { info: { purpose: 'renew', address: '::1' } },
        { purpose: 'renew', address: '::1' },
      ],
      ['the purpose http where the caller says nothing', undefined, { purpose: 'http' }],
    ])('tells it and the verifier %s', async (_what, given, info) => {
      const [verify, claims] = [vi.fn(() => Promise.resolve(valid)), vi.fn(() => ({ userId: 'ann' }))];
      await authenticator({ verify }, { claims }).authenticate('token', given);
      expect([verify.mock.calls, claims.mock.calls]).toEqual([[['token', info]], [[valid, info]]]);
    });

    it('keeps nothing that does not belong to an identity', async () => {
      const { identity } = await authenticate(valid, { claims: () => ({ userId: 'ann', password: 'x' }) });
      expect(identity).toEqual({ userId: 'ann', roles: new Set(), permissions: new Set(), metadata: {} });
    });

    it('gives at once what the function answers at once, and throws what it throws', () => {
      const judge = (claims: NonNullable<JwtAuthenticatorOptions['claims']>) =>
        authenticator({ verify: () => valid }, { claims }).authenticate('token');
      expect(judge(() => ({ userId: 'bob' }))).toMatchObject({ identity: { userId: 'bob' } });
      expect(() => judge(() => raise(new TypeError('…')))).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
      expect(() => judge(() => ({ userId: '' }))).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    });

    it('asks about revocation, too', async () => {
      const isRevoked = ({ sub }: JwtClaims) => sub === 'ann';
      const judge = (sub: string) =>
        authenticate({ ...valid, sub }, { claims: () => Promise.resolve({ userId: 'bob' }), isRevoked });
      await expect(failureOf(judge('ann'))).resolves.toMatchObject({ code: 'UNAUTHENTICATED' });
      await expect(judge('bob')).resolves.toMatchObject({ identity: { userId: 'bob' } });
    });

    it('waits for a function that answers later', async () => {
      const claims = () => Promise.resolve({ userId: 'ann' });
      await expect(authenticate(valid, { claims })).resolves.toMatchObject({ identity: { userId: 'ann' } });
    });

    it.each<[string, unknown, string]>([
      ['nothing', undefined, 'identity'],
      ['no user', {}, 'userId'],
      ['a user that is a number', { userId: 7 }, 'userId'],
      ['a user with a control character', { userId: 'zqx-marker\n' }, 'userId'],
      ['a user with a lone surrogate', { userId: 'zqx-marker\ud83d' }, 'userId'],
      ['a role with a control character', { userId: 'ann', roles: ['zqx-marker\r'] }, 'roles'],
      ['roles as text', { userId: 'ann', roles: 'zqx-marker' }, 'roles'],
      ['roles as an object', { userId: 'ann', roles: { zqx: 'zqx-marker' } }, 'roles'],
      ['roles as null', { userId: 'ann', roles: null }, 'roles'],
      ['permissions that are no text', { userId: 'ann', permissions: [{ name: 'zqx-marker' }] }, 'permissions'],
      ['metadata as a list', { userId: 'ann', metadata: ['zqx-marker'] }, 'metadata'],
    ])('refuses what returns %s, and tells the log which field is wrong', async (_what, identity, field) => {
      const error = await failureOf(authenticate(valid, { claims: () => identity as never }));
      expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'The token is not valid.' });
      expect(log.error).toHaveBeenCalledExactlyOnceWith(
        expect.stringMatching(new RegExp(`option "claims" .* returned a value whose ${field} must be`)),
      );
      expect(inspect([error, log.error.mock.calls], { depth: null })).not.toContain('zqx-marker');
    });

    it.each<[string, () => never]>([
      ['throws', () => raise(new TypeError('zqx-marker'))],
      ['rejects', (() => Promise.reject(new TypeError('zqx-marker'))) as never],
      ['returns a list that throws', (() => ({ userId: 'ann', roles: throwing() })) as never],
    ])('can tell nothing when it %s, and tells the log what kind of error it was', async (_what, claims) => {
      const error = await failureOf(authenticate(valid, { claims }));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
      expect(log.error).toHaveBeenCalledExactlyOnceWith(
        expect.stringMatching(/^claims failed.* TypeError$/),
        expect.stringMatching(/^ {4}at /),
      );
      expect(inspect([error, log.error.mock.calls], { depth: null })).not.toContain('zqx-marker');
    });
  });

  describe('when nobody can tell whether a token was revoked', () => {
    it('says so, and does not let it in', async () => {
      const isRevoked = () => Promise.reject(new TypeError('zqx-marker'));
      const error = await failureOf(authenticate(valid, { isRevoked }));
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(inspect([error, log.error.mock.calls], { depth: null })).not.toContain('zqx-marker');
    });
  });

  describe('when the verifier fails', () => {
    it('says UNAVAILABLE for a failure of the network, and nothing of its text', async () => {
      const reason = Object.assign(new Error('zqx-marker'), { code: 'ECONNREFUSED' });
      const error = await failureOf(authenticator(rejecting(reason)).authenticate('token'));
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(log.error).toHaveBeenCalledOnce();
      expect(inspect([error, log.error.mock.calls], { depth: null })).not.toContain('zqx-marker');
    });

    it('gives at once what the verifier knows at once, and throws what it throws', async () => {
      const knowing = { verify: () => valid };
      expect(authenticator(knowing).authenticate('token')).toMatchObject({ identity: { userId: 'ann' } });
      const failing = { verify: () => raise(new TypeError('zqx-marker')) };
      expect(() => authenticator(failing).authenticate('token')).toThrow(
        expect.objectContaining({ code: 'UNAUTHENTICATED', message: 'The token is not valid.' }),
      );
    });

    it('waits for a promise of another library', async () => {
      const bare = (claims: JwtClaims) => ({ verify: () => barePromise(Promise.resolve(claims)) });
      await expect(authenticator(bare(valid)).authenticate('token')).resolves.toMatchObject({
        identity: { userId: 'ann' },
      });
      const expired = authenticator(bare({ ...valid, exp: NOW_S - DAY_S })).authenticate('token');
      await expect(failureOf(expired)).resolves.toMatchObject({ code: 'TOKEN_EXPIRED' });
    });

    it.each(['TOKEN_EXPIRED', 'UNAVAILABLE'] as const)('passes %s on', async (code) => {
      const reason = new RealtimeError(code, 'as the verifier says');
      await expect(failureOf(authenticator(rejecting(reason)).authenticate('token'))).resolves.toBe(reason);
    });

    it.each<[string, unknown]>([
      ['another RealtimeError', new RealtimeError('INTERNAL', 'zqx-marker')],
      ['any other error', new SyntaxError('Unexpected token zqx-marker')],
      ['what is no error', 'zqx-marker'],
    ])('says UNAUTHENTICATED for %s, and nothing of its text', async (_what, reason) => {
      const error = await failureOf(authenticator(rejecting(reason)).authenticate('token'));
      expect(error).toMatchObject({ code: 'UNAUTHENTICATED', message: 'The token is not valid.' });
      expect(inspect([error, log.debug.mock.calls], { depth: null })).not.toContain('zqx-marker');
    });

    it('tells the log the name of the error', async () => {
      await failureOf(authenticator(rejecting(new SyntaxError('…'))).authenticate('token'));
      expect(log.debug).toHaveBeenCalledExactlyOnceWith('Token refused: SyntaxError');
    });
  });

  describe('with NestJwtVerifier', () => {
    const secret = randomBytes(32);
    const verifier = new NestJwtVerifier({ secret, algorithms: ['HS256'] }, clock);

    const judge = async (token: string, options?: AuthenticateOptions) =>
      authenticator(verifier).authenticate(token, options);

    it('lets a genuine token in, at once', () => {
      expect(authenticator(verifier).authenticate(tokenOf(valid, secret))).toMatchObject({
        identity: { userId: 'ann' },
      });
    });

    it('judges exp itself, so that an expired token can be allowed', async () => {
      const token = tokenOf({ ...valid, exp: NOW_S - DAY_S }, secret);
      await expect(failureOf(judge(token))).resolves.toMatchObject({ code: 'TOKEN_EXPIRED' });
      await expect(judge(token, { allowExpired: true })).resolves.toBeDefined();
    });

    it('tells the log why a token was refused', async () => {
      await failureOf(judge(tokenOf(valid, randomBytes(32))));
      expect(log.debug).toHaveBeenCalledExactlyOnceWith('Token refused: SignatureInvalid');
    });
  });
});

function authenticator(
  source: JwtClaims | JwtVerifier,
  options: Partial<JwtAuthenticatorOptions> = {},
): JwtAuthenticator {
  const isVerifier = typeof source === 'object' && typeof source['verify'] === 'function';
  const verifier = isVerifier ? (source as JwtVerifier) : { verify: () => Promise.resolve(source as JwtClaims) };
  return new JwtAuthenticator(verifier, clock, { clockToleranceS: 5, ...options });
}

async function authenticate(claims: JwtClaims, options?: Partial<JwtAuthenticatorOptions>) {
  return authenticator(claims, options).authenticate('token');
}

async function failureOf(answer: unknown): Promise<RealtimeError> {
  const reason = await Promise.resolve(answer).then(
    () => raise(new Error('was accepted')),
    (error: unknown) => error,
  );
  if (!(reason instanceof RealtimeError)) throw new Error('failed with something else than a RealtimeError');
  return reason;
}

function rejecting(reason: unknown): JwtVerifier {
  return { verify: () => Promise.reject(reason) };
}

function raise(error: Error): never {
  throw error;
}

function* throwing(): Generator<string> {
  yield 'staff';
  throw new TypeError('zqx-marker');
}

function tokenOf(claims: JwtClaims, key: Buffer): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}
