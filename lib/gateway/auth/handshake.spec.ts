import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { memoryUpgrade } from '../../../test/helpers/memory-upgrade.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { RealtimeSettings, type RealtimeOptions } from '../../options/realtime.options.js';
import { Authenticator, type AuthenticateOptions, type Authenticated } from '../../ports/authenticator.js';
import { Handshake, refusalBecauseOf } from './handshake.js';

/** Accepts `<user> <role>…` as a token, expired since 1970, and records how it was called. */
class TestAuthenticator extends Authenticator {
  allowed: (boolean | undefined)[] = [];
  verify = (token: string): Authenticated | Promise<Authenticated> => Promise.resolve(this.accept(token));

  authenticate(token: string, { allowExpired }: AuthenticateOptions = {}): Authenticated | Promise<Authenticated> {
    this.allowed.push(allowExpired);
    return this.verify(token);
  }

  accept(token: string): Authenticated {
    const [userId = '', ...roles] = token.split(' ');
    return {
      identity: { userId, roles: new Set(roles), permissions: new Set(), metadata: {} },
      expiresAt: new Date(0),
    };
  }
}

const INFO = { purpose: 'connect' } as const;

let authenticator: TestAuthenticator;

beforeEach(() => {
  authenticator = new TestAuthenticator();
  collectLogs();
});

const handshakeOf = (options: RealtimeOptions = {}) =>
  new Handshake(new RealtimeSettings(options), authenticator, { now: () => 1_000 });

/** The code of the refusal of a token. */
const codeOf = async (work: unknown) => {
  const error = await Promise.resolve(work).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof RealtimeError ? error.code : error;
};

describe('a request, before its token is read', () => {
  const address = { address: '192.0.2.1', host: 'example.com', isSecure: true };
  const refusalOf = (method: string, origin?: string, options: RealtimeOptions = {}) =>
    handshakeOf(options).refusalUnread(
      memoryUpgrade('/ws', origin === undefined ? {} : { origin }, method).request,
      address,
    )?.status;

  it.each<[string, string, string | undefined, RealtimeOptions, number | undefined]>([
    ['of GET without an origin', 'GET', undefined, {}, undefined],
    ['of the same origin', 'GET', 'https://example.com', {}, undefined],
    ['of a listed origin', 'GET', 'https://app.test', { allowedOrigins: ['https://app.test'] }, undefined],
    ['of a foreign origin', 'GET', 'https://evil.test', {}, 403],
    ['of another method', 'POST', undefined, {}, 405],
  ])('%s gets its refusal, if any', (_what, method, origin, options, status) => {
    expect(refusalOf(method, origin, options)).toBe(status);
  });
});

describe('a token', () => {
  it('becomes an identity with a fingerprint that is equal for equal tokens only', async () => {
    const [a, same, other] = await Promise.all(
      ['ann', 'ann', 'ann staff'].map(async (token) => handshakeOf().authenticate(token, INFO)),
    );
    expect(a!.identity.userId).toBe('ann');
    expect([a!.fingerprint === same!.fingerprint, a!.fingerprint === other!.fingerprint]).toEqual([true, false]);
    expect(a!.fingerprint).not.toContain('ann');
  });

  it('without a required role is forbidden', async () => {
    const handshake = handshakeOf({ authorize: { roles: ['staff'] } });
    expect(await codeOf(handshake.authenticate('ann', INFO))).toBe('FORBIDDEN');
    expect((await handshake.authenticate('ann staff', INFO)).identity.roles).toEqual(new Set(['staff']));
  });

  it.each([true, false])(
    'may be expired for the authenticator: %s, as authorize.allowExpired says',
    async (allowed) => {
      await handshakeOf({ authorize: { allowExpired: allowed } }).authenticate('ann', INFO);
      expect(authenticator.allowed).toEqual([allowed]);
    },
  );

  it('that cannot be verified in time is refused with UNAVAILABLE', async () => {
    authenticator.verify = () => new Promise(() => undefined);
    expect(await codeOf(handshakeOf({ limits: { authTimeoutMs: 1 } }).authenticate('ann', INFO))).toBe('UNAVAILABLE');
  });

  it('that needs no waiting is judged at once', () => {
    authenticator.verify = (token) => authenticator.accept(token);
    expect(handshakeOf().authenticate('ann', INFO)).toMatchObject({ identity: { userId: 'ann' } });
    const strict = handshakeOf({ authorize: { roles: ['staff'] } });
    expect(() => strict.authenticate('ann', INFO)).toThrow(expect.objectContaining({ code: 'FORBIDDEN' }));
  });

  it('whose metadata needs waiting is judged later, in time', async () => {
    authenticator.verify = (token) => authenticator.accept(token);
    const given = handshakeOf({ metadata: async () => ({ plan: 'free' }) });
    expect(await given.authenticate('ann', INFO)).toMatchObject({ connectMetadata: { plan: 'free' } });
    const never = handshakeOf({ metadata: () => new Promise(() => undefined), limits: { authTimeoutMs: 1 } });
    expect(await codeOf(never.authenticate('ann', INFO))).toBe('UNAVAILABLE');
  });

  it('is refused with UNAVAILABLE if the authenticator throws', () => {
    authenticator.verify = () => {
      throw new TypeError('secret');
    };
    expect(() => handshakeOf().authenticate('ann', INFO)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });

  it.each<[string, Error, string]>([
    ['the verdict of the authenticator', new RealtimeError('TOKEN_EXPIRED', 'Old.'), 'TOKEN_EXPIRED'],
    ['UNAVAILABLE for any other failure', new TypeError('secret'), 'UNAVAILABLE'],
  ])('is refused with %s', async (_what, error, code) => {
    authenticator.verify = () => Promise.reject(error);
    expect(await codeOf(handshakeOf().authenticate('ann', INFO))).toBe(code);
  });
});

describe('the token of a request', () => {
  const { request } = memoryUpgrade('/ws?token=query', { cookie: 'cookie' });
  const tokenOf = (from?: (request: { headers: { cookie?: string } }) => string | undefined | Promise<string>) =>
    handshakeOf(from && { token: { from } }).tokenOf(request);

  it('is read from the usual places', () => {
    expect(tokenOf()).toBe('query');
  });

  it('is read from token.from first, and at once if that is synchronous', () => {
    expect(tokenOf(({ headers }) => headers.cookie)).toBe('cookie');
  });

  it.each([
    ['nothing', () => undefined],
    ['an empty text', () => ''],
    ['a promise of an empty text', async () => ''],
  ])('is read from the usual places if token.from returns %s', async (_what, from) => {
    expect(await tokenOf(from)).toBe('query');
  });

  it('may come later from token.from', async () => {
    expect(await tokenOf(async () => 'later')).toBe('later');
  });

  it('is unavailable if token.from throws', () => {
    expect(() =>
      tokenOf(() => {
        throw new TypeError('secret');
      }),
    ).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });

  it('is unavailable if token.from rejects', async () => {
    expect(await codeOf(tokenOf(() => Promise.reject(new TypeError('secret'))))).toBe('UNAVAILABLE');
  });
});

describe('the refusal that a failure leads to', () => {
  it.each<[string, unknown, object]>([
    ['a bad token', new RealtimeError('UNAUTHENTICATED', 'No.'), { status: 401, code: 'UNAUTHENTICATED' }],
    ['an unavailable verifier', new RealtimeError('UNAVAILABLE', 'Away.'), { status: 503, retryAfterS: 1 }],
    [
      'a verifier that says when to retry',
      new RealtimeError('UNAVAILABLE', 'Away.', { retryAfterMs: 1_500 }),
      { status: 503, retryAfterS: 2 },
    ],
    ['any other failure', new TypeError('secret'), { status: 503, retryAfterS: 1 }],
  ])('is that of %s', (_what, error, refusal) => {
    expect(refusalBecauseOf(error)).toMatchObject(refusal);
  });

  it('logs the code and no text of the application', () => {
    const refusal = refusalBecauseOf(new RealtimeError('FORBIDDEN', 'secret'));
    expect(refusal.reason).toBe('The token was refused with FORBIDDEN.');
  });
});
