import { Logger } from '@nestjs/common';
import { RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { jwksVerifier, type JwksOptions } from 'nestjs-realtime/jwks';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { IdentityProvider, signedBy, signingKey } from '../../helpers/identity-provider.js';
import { listen, welcomed } from '../../helpers/listening-app.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const [genuine, stranger] = [signingKey('main', 'RS256'), signingKey('main', 'RS256')];
const algorithms: JwksOptions['algorithms'] = ['RS256'];

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  vi.spyOn(Logger.prototype, 'log').mockReturnValue();
});

afterEach(() => void vi.restoreAllMocks());

/** A provider, and an application that trusts it. */
async function start(options: RealtimeOptions = {}) {
  const provider = await IdentityProvider.start([genuine]);
  const clock = new ManualClock();
  const providers = [jwksVerifier(provider.options({ algorithms })), { provide: Clock, useValue: clock }];
  return { provider, clock, app: await listen({ imports: [RealtimeModule.forRoot({ ...options, providers })] }) };
}

describe('An application that trusts an identity provider', () => {
  it('lets a client with a token of the provider in', async () => {
    const { provider, app } = await start();
    expect(await welcomed(await app.connect({ token: provider.token() }))).toBe('ann');
  });

  it.each<[string, (provider: IdentityProvider) => string, string]>([
    ['with another key', (provider) => signedBy(stranger, provider.claims()), 'UNAUTHENTICATED'],
    ['for another application', (provider) => provider.token({ aud: 'chat' }), 'UNAUTHENTICATED'],
    ['without sub', (provider) => provider.token({ sub: undefined }), 'UNAUTHENTICATED'],
    ['without exp', (provider) => provider.token({ exp: undefined }), 'UNAUTHENTICATED'],
    ['that has expired', (provider) => provider.token({ exp: 1_700_000_000 }), 'TOKEN_EXPIRED'],
  ])('answers a client with a token %s with 401', async (_what, token, code) => {
    const { provider, app } = await start();
    const answer = { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { code } };
    await expect(app.connect({ token: token(provider) })).rejects.toMatchObject(answer);
  });

  it('lets a client with an expired token in when that is allowed', async () => {
    const { provider, app } = await start({ authorize: { allowExpired: true } });
    const client = await app.connect({ token: provider.token({ exp: 1_700_000_000 }) });
    expect(await welcomed(client)).toBe('ann');
  });

  it('boots while the provider is away, and answers with 503 and when to come again', async () => {
    const { provider, app } = await start();
    await provider.stop();
    await expect(app.connect({ token: provider.token() })).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'UNAVAILABLE', message: 'The token cannot be verified at the moment; try again.' },
    });
  });

  it('lets clients in again when the provider is back', async () => {
    const { provider, clock, app } = await start();
    provider.answerWith((request) => request.socket.destroy());
    await expect(app.connect({ token: provider.token() })).rejects.toMatchObject({ status: 503 });
    provider.answerWith();
    clock.advance(1_000);
    expect(await welcomed(await app.connect({ token: provider.token() }))).toBe('ann');
  });

  it('lets clients with known keys in while the provider is away', async () => {
    const { provider, app } = await start();
    await welcomed(await app.connect({ token: provider.token() }));
    await provider.stop();
    expect(await welcomed(await app.connect({ token: provider.token({ sub: 'bob' }) }))).toBe('bob');
  });
});

describe('jwksVerifier', () => {
  it('takes its options from a factory', async () => {
    const provider = await IdentityProvider.start([genuine]);
    const verifier = jwksVerifier({
      inject: [Clock],
      useFactory: async (clock: Clock) => provider.options({ algorithms, clockToleranceS: clock.now() > 0 ? 0 : 1 }),
    });
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [verifier] })] });
    expect(await welcomed(await app.connect({ token: provider.token() }))).toBe('ann');
  });

  it('takes a list of providers', async () => {
    const [one, two] = [await IdentityProvider.start([genuine]), await IdentityProvider.start([stranger])];
    const verifier = jwksVerifier([one.options({ algorithms }), two.options({ algorithms })]);
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [verifier] })] });
    expect(await welcomed(await app.connect({ token: two.token({ sub: 'bob' }) }))).toBe('bob');
  });

  it.each(['none', 'HS256'])('stops the boot of an application that would accept %s', async (algorithm) => {
    const options = { issuer: 'https://id.example', jwksUrl: 'https://id.example/jwks', algorithms: [algorithm] };
    const booting = listen({
      imports: [RealtimeModule.forRoot({ providers: [jwksVerifier(options as JwksOptions)] })],
    });
    await expect(booting).rejects.toThrow('jwksVerifier: algorithms must not contain');
  });
});
