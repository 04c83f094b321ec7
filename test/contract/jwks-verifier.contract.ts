import { afterAll, beforeAll } from 'vitest';
import { jwtVerifierContract } from '../../lib/testing/contracts/index.js';
import { IdentityProvider, signedBy, signingKey } from '../helpers/identity-provider.js';
import { keepsItsContract } from './prove.js';

let provider: IdentityProvider;
let stop: () => Promise<void>;

beforeAll(async () => {
  provider = await IdentityProvider.start([signingKey('first')], (own) => (stop = own));
});

afterAll(() => stop());

/** Has the name of the genuine key. */
const forged = signingKey('first');

keepsItsContract('JwksVerifier', jwtVerifierContract, async () => ({
  verifier: await provider.verifier(),
  issuer: provider.issuer,
  audience: 'shop',
  sign: (claims) => signedBy(provider.keys[0]!, claims),
  forge: (claims) => signedBy(forged, claims),
}));
