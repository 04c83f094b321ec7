import { Logger } from '@nestjs/common';
import type { Clock } from 'nestjs-realtime/ports';
import { JwksVerifier } from 'nestjs-realtime/jwks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { IdentityProvider, signedBy, signingKey } from '../../helpers/identity-provider.js';

const clock: Clock = { now: () => Date.now() };
const refused = (name: string) => ({ code: 'UNAUTHENTICATED', cause: { name } });

/** Two providers whose keys differ but have the same name. */
async function startTwo() {
  const [one, two] = [
    await IdentityProvider.start([signingKey('main')]),
    await IdentityProvider.start([signingKey('main')]),
  ];
  return { one, two, verifier: await JwksVerifier.create([one.options(), two.options({ audience: 'chat' })], clock) };
}

afterEach(() => void vi.restoreAllMocks());

describe('With several providers', () => {
  it('the tokens of each are accepted', async () => {
    const { one, two, verifier } = await startTwo();
    const tokens = [one.token({ sub: 'ann' }), two.token({ sub: 'bob', aud: 'chat' })];
    const claims = await Promise.all(tokens.map((token) => verifier.verify(token)));
    expect(claims.map(({ sub }) => sub)).toEqual(['ann', 'bob']);
  });

  it("a token in the name of one with the other's key of the same kid is refused, whoever was asked first", async () => {
    const { one, two, verifier } = await startTwo();
    const forged = [signedBy(two.keys[0]!, one.claims()), signedBy(one.keys[0]!, two.claims({ aud: 'chat' }))];
    for (const genuine of [one.token(), two.token({ aud: 'chat' })]) {
      await verifier.verify(genuine);
      for (const token of forged)
        await expect(verifier.verify(token)).rejects.toMatchObject(refused('SignatureInvalid'));
    }
  });

  it('the same token is accepted when both have the same keys, so that it is the key that counts', async () => {
    const { one, two } = await startTwo();
    const verifier = await JwksVerifier.create([one.options({ jwksUrl: two.jwksUrl }), two.options()], clock);
    await expect(verifier.verify(signedBy(two.keys[0]!, one.claims()))).resolves.toMatchObject({ sub: 'ann' });
  });

  it('a key that only the other has is not found', async () => {
    const { one, two, verifier } = await startTwo();
    two.keys = [signingKey('extra')];
    await verifier.verify(two.token({ aud: 'chat' }));
    const token = signedBy(two.keys[0]!, one.claims());
    await expect(verifier.verify(token)).rejects.toMatchObject(refused('KeyUnknown'));
  });

  it('an audience counts for its own provider alone', async () => {
    const { one, two, verifier } = await startTwo();
    for (const token of [one.token({ aud: 'chat' }), two.token({ aud: 'shop' })]) {
      await expect(verifier.verify(token)).rejects.toMatchObject(refused('AudienceMismatch'));
    }
  });

  it('one that is away does not keep the tokens of the others out', async () => {
    vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
    const { one, two, verifier } = await startTwo();
    await two.stop();
    await expect(verifier.verify(two.token({ aud: 'chat' }))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(verifier.verify(one.token())).resolves.toMatchObject({ sub: 'ann' });
  });

  it('a token of none of them asks nobody', async () => {
    const { one, two, verifier } = await startTwo();
    const elsewhere = await IdentityProvider.start();
    for (const iss of [elsewhere.issuer, one.issuer.slice(0, -1), one.issuer.toUpperCase(), '__proto__']) {
      await expect(verifier.verify(elsewhere.token({ iss }))).rejects.toMatchObject(refused('IssuerMismatch'));
    }
    expect([one.fetches, two.fetches, elsewhere.fetches]).toEqual([0, 0, 0]);
  });
});

describe('A token that says where its key is', () => {
  it.each(['jku', 'x5u', 'iss'])('is not believed: %s', async (name) => {
    const provider = await IdentityProvider.start();
    const evil = await IdentityProvider.start([signingKey('first')]);
    const verifier = await provider.verifier();
    const claims = provider.claims(name === 'iss' ? { iss: evil.issuer } : {});
    const token = signedBy(evil.keys[0]!, claims, name === 'iss' ? {} : { [name]: evil.jwksUrl });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(evil.fetches).toBe(0);
  });
});
