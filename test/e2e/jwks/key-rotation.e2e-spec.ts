import { randomUUID } from 'node:crypto';
import type { JwksOptions, JwksVerifier } from 'nestjs-realtime/jwks';
import { describe, expect, it } from 'vitest';
import { IdentityProvider, signedBy, signingKey } from '../../helpers/identity-provider.js';
import { ManualClock } from '../../helpers/manual-clock.js';

const COOLDOWN_MS = 30_000;
const MAX_AGE_MS = 600_000;

const [first, second] = [signingKey('first'), signingKey('second')];
const refused = { code: 'UNAUTHENTICATED' };

/** A provider, and a verifier on a clock of its own that trusts it. */
async function start(changes: Partial<JwksOptions> = {}) {
  const provider = await IdentityProvider.start([first]);
  const clock = new ManualClock();
  return { provider, clock, verifier: await provider.verifier(changes, clock) };
}

/** How many of so many tokens with made-up keys are accepted: none. */
async function flood(verifier: JwksVerifier, provider: IdentityProvider, count: number): Promise<number> {
  const tokens = Array.from({ length: count }, () => signedBy(first, provider.claims(), { kid: randomUUID() }));
  const answers = await Promise.allSettled(tokens.map((token) => verifier.verify(token)));
  return answers.filter(({ status }) => status === 'fulfilled').length;
}

describe('Keys', () => {
  it('are not fetched before the first token comes', async () => {
    const { provider } = await start();
    expect(provider.fetches).toBe(0);
  });

  it('are fetched once for many tokens', async () => {
    const { provider, verifier } = await start();
    for (let i = 0; i < 20; i += 1) await verifier.verify(provider.token());
    expect(provider.fetches).toBe(1);
  });

  it('are fetched once for tokens that come while they are fetched', async () => {
    const { provider, verifier } = await start();
    const held = provider.hold();
    const answers = Array.from({ length: 50 }, (_, i) => verifier.verify(provider.token({ sub: `user-${i}` })));
    await held.asked;
    held.release();
    expect((await Promise.all(answers)).map(({ sub }) => sub)).toEqual(answers.map((_, i) => `user-${i}`));
    expect(provider.fetches).toBe(1);
  });

  it('may begin with a byte order mark', async () => {
    const { provider, verifier } = await start();
    provider.answerWith((_request, response) => response.end(`\uFEFF${JSON.stringify({ keys: [first.jwk] })}`));
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
  });

  it('are used until they are too old', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    clock.advance(MAX_AGE_MS - 1);
    await verifier.verify(provider.token());
    expect(provider.fetches).toBe(1);
  });

  it('are fetched again when they are too old', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    clock.advance(MAX_AGE_MS);
    await verifier.verify(provider.token());
    expect(provider.fetches).toBe(2);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('are fetched again, once, when the clock is set %s by an hour', async (_where, ms) => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    clock.advance(ms);
    for (let i = 0; i < 20; i += 1) await verifier.verify(provider.token());
    expect(provider.fetches).toBe(2);
  });
});

describe('A key that is new', () => {
  it('is accepted at once when the cooldown is over', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.keys = [second, first];
    clock.advance(COOLDOWN_MS);
    await expect(verifier.verify(provider.token({}, second))).resolves.toMatchObject({ sub: 'ann' });
  });

  it('is not asked for before', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.keys = [second, first];
    clock.advance(COOLDOWN_MS - 1);
    await expect(verifier.verify(provider.token({}, second))).rejects.toMatchObject(refused);
    expect(provider.fetches).toBe(1);
  });

  it('is fetched once for all tokens that name it at the same time', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.keys = [second];
    clock.advance(COOLDOWN_MS);
    await Promise.all(Array.from({ length: 50 }, () => verifier.verify(provider.token())));
    expect(provider.fetches).toBe(2);
  });

  it('does not make tokens with known keys wait', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    clock.advance(COOLDOWN_MS);
    const held = provider.hold();
    const waiting = verifier.verify(provider.token({}, second));
    await held.asked;
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
    provider.keys = [first, second];
    held.release();
    await expect(waiting).resolves.toMatchObject({ sub: 'ann' });
  });
});

describe('A key that is withdrawn', () => {
  it('is accepted no longer once the keys are too old', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.keys = [second];
    clock.advance(MAX_AGE_MS);
    await expect(verifier.verify(provider.token({}, first))).rejects.toMatchObject(refused);
  });

  it('is accepted no longer once a newer one has been fetched', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    provider.keys = [second];
    clock.advance(COOLDOWN_MS);
    await verifier.verify(provider.token({}, second));
    await expect(verifier.verify(provider.token({}, first))).rejects.toMatchObject(refused);
  });
});

describe('1,000 tokens with made-up keys', () => {
  it('cause one fetch when they are the first', async () => {
    const { provider, verifier } = await start();
    expect(await flood(verifier, provider, 1_000)).toBe(0);
    expect(provider.fetches).toBe(1);
  });

  it('cause one fetch in each cooldown', async () => {
    const { provider, clock, verifier } = await start();
    await verifier.verify(provider.token());
    for (let i = 0; i < 10; i += 1) {
      clock.advance(COOLDOWN_MS / 5);
      await flood(verifier, provider, 100);
    }
    expect(provider.fetches).toBe(1 + 2);
  });

  it('flood the provider when there is no cooldown', async () => {
    const { provider, verifier } = await start({ cooldownMs: 0 });
    for (let i = 0; i < 100; i += 1) await flood(verifier, provider, 1);
    expect(provider.fetches).toBe(1 + 100);
  });

  it('do not keep a genuine token out', async () => {
    const { provider, verifier } = await start();
    const flooding = flood(verifier, provider, 1_000);
    await expect(verifier.verify(provider.token())).resolves.toMatchObject({ sub: 'ann' });
    await flooding;
  });
});
