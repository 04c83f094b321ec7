import { createHmac, randomBytes } from 'node:crypto';
import { NestJwtVerifier } from '../../lib/adapters/jwt/nest-jwt-verifier.js';
import type { JwtClaims } from '../../lib/core/identity/claims.js';
import { RealtimeError } from '../../lib/errors/realtime.error.js';
import type { JwtVerifier } from '../../lib/ports/jwt-verifier.js';
import { jwtVerifierContract, type JwtVerifierSetup } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract } from './prove.js';

const issuer = 'https://issuer.example';
const audience = 'realtime';
const [secret, otherSecret] = [randomBytes(32), randomBytes(32)];
const genuine = new NestJwtVerifier({ secret, algorithms: ['HS256'], issuer, audience }, { now: () => Date.now() });

keepsItsContract('NestJwtVerifier', jwtVerifierContract, () => setup(genuine));

canBeBroken(jwtVerifierContract, {
  'resolves with the claims of a genuine token': twin(async (token) => ({ sub: (await genuine.verify(token)).sub! })),
  'rejects a token that is signed with another key': careless(({ signed }) => signed),
  'rejects changed claims under a genuine signature': careless(({ signed }) => signed),
  'rejects a token that calls itself unsigned': careless(({ header }) => header.alg === 'HS256'),
  'rejects a token of another issuer, or of none': careless(({ claims }) => claims['iss'] === issuer),
  'rejects a token for another audience, or for none': careless(({ claims }) => claims['aud'] === audience),
  'rejects a token that is not valid yet': careless(({ claims }) => claims.nbf === undefined),
  'answers an expired token with its claims, or with TOKEN_EXPIRED': twin(async (token) => {
    const claims = await genuine.verify(token);
    if (claims.exp! < Date.now() / 1_000) throw new RealtimeError('UNAUTHENTICATED', 'too old');
    return claims;
  }),
  'rejects what is no token': twin((token) => genuine.verify(token.trim())),
  'quotes nothing of a token in its errors': twin(async (token) => {
    JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString());
    return genuine.verify(token);
  }),
  'keeps tokens apart that are verified at the same time': () => {
    let last: JwtClaims | Promise<JwtClaims>;
    return setup({
      async verify(token) {
        last = genuine.verify(token);
        await Promise.resolve();
        return last;
      },
    });
  },
});

function setup(verifier: JwtVerifier): JwtVerifierSetup {
  return {
    verifier,
    issuer,
    audience,
    sign: (claims) => sign(claims, secret),
    forge: (claims) => sign(claims, otherSecret),
  };
}

function twin(verify: JwtVerifier['verify']): () => JwtVerifierSetup {
  return () => setup({ verify });
}

interface Seen {
  readonly header: { readonly alg?: string };
  readonly claims: JwtClaims;
  /** The signature is that of the trusted key over these very claims. */
  readonly signed: boolean;
}

/** A verifier that accepts, beside what is genuine, what fails the one check that it forgets. */
function careless(check: (seen: Seen) => boolean): () => JwtVerifierSetup {
  return twin(async (token) => {
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const seen = {
      header: parse(header),
      claims: parse(payload) as JwtClaims,
      signed: mac(`${header}.${payload}`, secret) === signature,
    };
    return check(seen) ? genuine.verify(token) : seen.claims;
  });
}

function parse(part: string): Record<string, string> {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>;
}

function sign(claims: JwtClaims, key: Buffer): string {
  const input = [{ alg: 'HS256', typ: 'JWT' }, claims].map((part) => encode(part)).join('.');
  return `${input}.${mac(input, key)}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function mac(input: string, key: Buffer): string {
  return createHmac('sha256', key).update(input).digest('base64url');
}
