import { createHmac } from 'node:crypto';
import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { listen, welcomed, type ListeningApp } from '../../helpers/listening-app.js';
import { RSA_KEYS, SECRET, signedToken } from '../../helpers/signed-token.js';

const HS256: RealtimeOptions = { jwt: { secret: SECRET, algorithms: ['HS256'] } };
const RS256: RealtimeOptions = { jwt: { publicKey: RSA_KEYS.publicKey, algorithms: ['RS256'] } };

function listenWith(options: RealtimeOptions): Promise<ListeningApp> {
  return listen({ imports: [RealtimeModule.forRoot(options)] });
}

const rsaToken = (claims: object) => signedToken(claims, { privateKey: RSA_KEYS.privateKey, algorithm: 'RS256' });
const unauthenticated = { status: 401, body: { code: 'UNAUTHENTICATED' } };

describe('With a shared secret', () => {
  it('a token signed with it is admitted', async () => {
    const app = await listenWith(HS256);
    expect(await welcomed(await app.connect({ token: signedToken({ sub: 'ann' }) }))).toBe('ann');
  });

  it('the welcome tells when the token expires', async () => {
    const app = await listenWith(HS256);
    const exp = Math.floor(Date.now() / 1000) + 600;
    const client = await app.connect({ token: signedToken({ sub: 'ann', exp }) });
    const { payload } = await client.next('realtime:welcome');
    expect(payload.expiresAt).toBe(new Date(exp * 1000).toISOString());
  });

  it('a token signed with another secret is refused', async () => {
    const app = await listenWith(HS256);
    const token = signedToken({ sub: 'ann' }, { secret: 'another secret that is long enough for this' });
    await expect(app.connect({ token })).rejects.toMatchObject(unauthenticated);
  });

  it('a token signed with another algorithm is refused', async () => {
    const app = await listenWith(HS256);
    const token = signedToken({ sub: 'ann' }, { algorithm: 'HS512' });
    await expect(app.connect({ token })).rejects.toMatchObject(unauthenticated);
  });

  it('an unsigned token is refused', async () => {
    const app = await listenWith(HS256);
    const [, payload] = signedToken({ sub: 'ann' }).split('.');
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    await expect(app.connect({ token: `${header}.${payload}.` })).rejects.toMatchObject(unauthenticated);
  });

  it('an expired token is refused as expired', async () => {
    const app = await listenWith(HS256);
    const token = signedToken({ sub: 'ann', exp: Math.floor(Date.now() / 1000) - 60 });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 401, body: { code: 'TOKEN_EXPIRED' } });
  });

  it('a token without sub is refused', async () => {
    const app = await listenWith(HS256);
    await expect(app.connect({ token: signedToken({ name: 'ann' }) })).rejects.toMatchObject(unauthenticated);
  });

  it('a token of another audience is refused', async () => {
    const app = await listenWith({ jwt: { ...HS256.jwt!, audience: 'chat' } });
    await expect(app.connect({ token: signedToken({ sub: 'ann', aud: 'shop' }) })).rejects.toMatchObject(
      unauthenticated,
    );
  });

  it('roles of the token are those of the connection', async () => {
    const app = await listenWith(HS256);
    await welcomed(await app.connect({ token: signedToken({ sub: 'ann', roles: ['admin'] }) }));
    expect(await app.realtime.sendToRole('admin', { type: 'hello' })).toMatchObject({ recipients: 1 });
  });
});

describe('With a public key', () => {
  it('a token signed with its private half is admitted', async () => {
    const app = await listenWith(RS256);
    expect(await welcomed(await app.connect({ token: rsaToken({ sub: 'ann' }) }))).toBe('ann');
  });

  it('a token signed with the public key as a secret is refused', async () => {
    const app = await listenWith(RS256);
    const [header, payload] = signedToken({ sub: 'ann' }).split('.');
    const signature = createHmac('sha256', RSA_KEYS.publicKey).update(`${header}.${payload}`).digest('base64url');
    const token = `${header}.${payload}.${signature}`;
    await expect(app.connect({ token })).rejects.toMatchObject(unauthenticated);
  });
});

describe('The option claims', () => {
  const token = signedToken({ sub: 'ann', account: 'a-7', groups: ['staff'], scope: 'read write', plan: 'pro' });
  const claims: RealtimeOptions['claims'] = ({ account, groups, scope, plan }) => ({
    userId: String(account),
    roles: groups as string[],
    permissions: String(scope).split(' '),
    metadata: { plan },
  });

  it('says who the user is', async () => {
    const app = await listenWith({ ...HS256, claims });
    expect(await welcomed(await app.connect({ token }))).toBe('a-7');
  });

  it('says what the connection has', async () => {
    const app = await listenWith({ ...HS256, claims });
    await welcomed(await app.connect({ token }));
    expect(await app.realtime.connectionsOf('a-7')).toMatchObject([
      { roles: new Set(['staff']), permissions: new Set(['read', 'write']), metadata: { plan: 'pro' } },
    ]);
  });

  it('that throws has the client try again', async () => {
    const throwing = () => {
      throw new Error('no such account');
    };
    const app = await listenWith({ ...HS256, claims: throwing });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });

  it('that names no user refuses the token', async () => {
    const app = await listenWith({ ...HS256, claims: () => ({ userId: '' }) });
    await expect(app.connect({ token })).rejects.toMatchObject(unauthenticated);
  });
});
