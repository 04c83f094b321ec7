import { JwtVerifier, RealtimeError, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';

function listenWith(options: RealtimeOptions = {}, verifier?: JwtVerifier): Promise<ListeningApp> {
  const provider = verifier ? { provide: JwtVerifier, useValue: verifier } : TEST_TOKENS;
  return listen({ imports: [RealtimeModule.forRoot({ ...options, providers: [provider] })] });
}

/** A verifier that always fails like this. */
function failing(error: unknown): JwtVerifier {
  const verify = async () => {
    throw error;
  };
  return { verify };
}

const expired = testToken('ann', { exp: Math.floor(Date.now() / 1000) - 3_600 });

describe('A request without a token', () => {
  it('is answered with 401', async () => {
    const app = await listenWith();
    await expect(app.connect()).rejects.toMatchObject({ status: 401 });
  });

  it('is told why, as JSON', async () => {
    const app = await listenWith();
    await expect(app.connect()).rejects.toMatchObject({
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: {
        statusCode: 401,
        error: 'Unauthorized',
        code: 'UNAUTHENTICATED',
        message: 'A token is required.',
      },
    });
  });

  it('is told how to authenticate', async () => {
    const app = await listenWith();
    await expect(app.connect()).rejects.toMatchObject({ headers: { 'www-authenticate': 'Bearer' } });
  });

  it('makes no connection', async () => {
    const app = await listenWith();
    await app.connect().catch(() => undefined);
    expect(await app.realtime.counts()).toMatchObject({ connections: 0 });
  });
});

describe('A request with a token that does not hold', () => {
  it('is answered with 401', async () => {
    const app = await listenWith();
    await expect(app.connect({ token: 'broken' })).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { statusCode: 401, error: 'Unauthorized', code: 'UNAUTHENTICATED' },
    });
  });

  it('is answered without a part of the token', async () => {
    const app = await listenWith();
    const token = testToken('', { roles: ['admin'] });
    const { body } = await app.connect({ token }).catch((error) => error);
    expect(JSON.stringify(body)).not.toContain(token.slice(0, 16));
  });

  it('is answered with 401 whatever the verifier throws', async () => {
    const app = await listenWith({}, failing('a text'));
    await expect(app.connect({ token: 'any' })).rejects.toMatchObject({ status: 401 });
  });

  it('is answered with 401 when the verifier throws at once', async () => {
    const verify = () => {
      throw new TypeError('not a function');
    };
    const app = await listenWith({}, { verify });
    await expect(app.connect({ token: 'any' })).rejects.toMatchObject({ status: 401 });
  });
});

describe('A request with an expired token', () => {
  it('is answered with 401 and TOKEN_EXPIRED', async () => {
    const app = await listenWith();
    await expect(app.connect({ token: expired })).rejects.toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer' },
      body: { code: 'TOKEN_EXPIRED' },
    });
  });

  it('is admitted where authorize.allowExpired says so', async () => {
    const app = await listenWith({ authorize: { allowExpired: true } });
    expect(await welcomed(await app.connect({ token: expired }))).toBe('ann');
  });

  it('is admitted within the tolerance for clocks', async () => {
    const app = await listenWith();
    const justOver = testToken('ann', { exp: Math.floor(Date.now() / 1000) - 1 });
    expect(await welcomed(await app.connect({ token: justOver }))).toBe('ann');
  });
});

describe('authorize', () => {
  const forbidden = { status: 403, body: { statusCode: 403, error: 'Forbidden', code: 'FORBIDDEN' } };

  it('refuses a user without any of the roles', async () => {
    const app = await listenWith({ authorize: { roles: ['admin', 'staff'] } });
    await expect(app.connect({ token: testToken('ann', { roles: ['guest'] }) })).rejects.toMatchObject(forbidden);
  });

  it('admits a user with one of the roles', async () => {
    const app = await listenWith({ authorize: { roles: ['admin', 'staff'] } });
    expect(await welcomed(await app.connect({ token: testToken('ann', { roles: ['staff'] }) }))).toBe('ann');
  });

  it('refuses a user without one of the permissions', async () => {
    const app = await listenWith({ authorize: { permissions: ['read', 'write'] } });
    await expect(app.connect({ token: testToken('ann', { permissions: ['read'] }) })).rejects.toMatchObject(forbidden);
  });

  it('admits a user with all of the permissions', async () => {
    const app = await listenWith({ authorize: { permissions: ['read', 'write'] } });
    const token = testToken('ann', { permissions: ['read', 'write'] });
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
  });

  it('does not tell which role would do', async () => {
    const app = await listenWith({ authorize: { roles: ['night-shift'] } });
    const { body } = await app.connect({ token: testToken('ann') }).catch((error) => error);
    expect(JSON.stringify(body)).not.toContain('night-shift');
  });
});

describe('While nobody can tell whether a token holds', () => {
  const unavailable = { status: 503, headers: { 'retry-after': '1' }, body: { code: 'UNAVAILABLE' } };

  it('a verifier that is too slow leads to 503 with Retry-After', async () => {
    const app = await listenWith({ limits: { authTimeoutMs: 50 } }, new HeldVerifier());
    await expect(app.connect({ token: 'any' })).rejects.toMatchObject(unavailable);
  });

  it('a verifier that fails with UNAVAILABLE leads to 503 with Retry-After', async () => {
    const app = await listenWith({}, failing(new RealtimeError('UNAVAILABLE', 'The key server is away.')));
    await expect(app.connect({ token: 'any' })).rejects.toMatchObject(unavailable);
  });

  it('an answer that comes too late makes no connection', async () => {
    const verifier = new HeldVerifier();
    const app = await listenWith({ limits: { authTimeoutMs: 50 } }, verifier);
    await app.connect({ token: testToken('ann') }).catch(() => undefined);
    verifier.release();
    await app.connect({ token: testToken('bob') });
    expect(await app.realtime.counts()).toMatchObject({ connections: 1 });
  });
});

describe('A request for a path that nobody serves', () => {
  it('is answered with 404 as JSON', async () => {
    const app = await listenWith();
    await expect(app.connectTo('/nowhere', { token: testToken('ann') })).rejects.toMatchObject({
      status: 404,
      body: { statusCode: 404, error: 'Not Found', message: 'No WebSocket is served at this path.' },
    });
  });

  it.each(['/', '/ws/', '/WS', '/ws/more', '//ws', '/%77s'])('is answered with 404 at %s', async (path) => {
    const app = await listenWith();
    await expect(app.connectTo(path, { token: testToken('ann') })).rejects.toMatchObject({ status: 404 });
  });
});
