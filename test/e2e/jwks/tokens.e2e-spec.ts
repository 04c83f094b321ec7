import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { RealtimeError } from 'nestjs-realtime';
import type { JwksOptions } from 'nestjs-realtime/jwks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityProvider, signedBy, signingKey, type SigningKey } from '../../helpers/identity-provider.js';

const NOW_S = 1_800_000_000;
const clock = { now: () => NOW_S * 1000 };

const ec = signingKey('ec');
const rsa = signingKey('rsa', 'RS256');
const pss = signingKey('pss', 'PS256');
const short = signingKey('short', 'RS256', 1024);
const ed = signingKey('ed', 'EdDSA');
const ed25519 = signingKey('ed25519', 'Ed25519');
const leaked = signingKey('leaked');
const encrypting = signingKey('encrypting');
const stranger = signingKey('ec');
const twins = [signingKey('twin'), signingKey('twin')] as const;
const secret = Buffer.alloc(32, 7);

const algorithms: JwksOptions['algorithms'] = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];

let provider: IdentityProvider;
let stop: () => Promise<void>;

beforeAll(async () => {
  const published = [
    ec,
    rsa,
    pss,
    short,
    ed,
    ed25519,
    ...twins,
    { ...leaked, jwk: { ...leaked.privateKey.export({ format: 'jwk' }), kid: 'leaked' } },
    { ...encrypting, jwk: { ...encrypting.jwk, use: 'enc' } },
    { ...ec, jwk: { kty: 'oct', k: secret.toString('base64url'), kid: 'secret' } },
    { ...ec, jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', kid: 'broken' } },
  ];
  provider = await IdentityProvider.start(published, (own) => (stop = own));
});

afterAll(() => stop());

const claims = (changes: object = {}) => ({
  sub: 'ann',
  iss: provider.issuer,
  aud: 'shop',
  exp: NOW_S + 60,
  ...changes,
});
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const signed = (changes: object = {}, header: object = {}, key: SigningKey = ec) =>
  signedBy(key, claims(changes), header);

/** A token of exactly this length. A part cannot have every length, so both are filled up. */
function ofLength(length: number): string {
  const about = Math.floor((length * 3) / 4) - 400;
  for (const fill of ['', 'x', 'xx']) {
    for (let size = about; size < length; size += 1) {
      const token = signed({ pad: 'x'.repeat(size) }, { fill });
      if (token.length === length) return token;
      if (token.length > length) break;
    }
  }
  throw new Error(`There is no token of ${length} characters.`);
}

function hmac(key: string | Buffer, kid: string): string {
  const input = `${part({ alg: 'HS256', typ: 'JWT', kid })}.${part(claims())}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

async function refusalOf(token: unknown, changes: Partial<JwksOptions> = {}): Promise<RealtimeError> {
  const verifier = await provider.verifier({ algorithms, ...changes }, clock);
  const failure = await verifier.verify(token as string).catch((error: unknown) => error);
  if (failure instanceof RealtimeError) return failure;
  throw new Error(`accepted, or failed in another way: ${inspect(failure)}`);
}

const ACCEPTED: Record<string, [() => string, Partial<JwksOptions>?]> = {
  'a token signed with ES256': [() => signed()],
  'a token signed with RS256': [() => signed({}, {}, rsa)],
  'a token signed with PS256': [() => signed({}, {}, pss)],
  'a token signed with EdDSA': [() => signed({}, {}, ed)],
  'a token signed with Ed25519': [() => signed({}, {}, ed25519)],
  'a token without kid when one key fits': [() => signed({}, { kid: undefined }, pss)],
  'a token without typ': [() => signed({}, { typ: undefined })],
  'a token of the type that is asked for': [() => signed({}, { typ: 'at+jwt' }), { typ: 'at+jwt' }],
  'the same with the prefix that may be omitted': [() => signed({}, { typ: 'application/at+jwt' }), { typ: 'at+jwt' }],
  'a token of one of the types that are asked for': [() => signed({}, { typ: 'JWT' }), { typ: ['at+jwt', 'jwt'] }],
  'a token for several audiences': [() => signed({ aud: ['chat', 'shop'] })],
  'any audience when none is asked for': [() => signed({ aud: 'chat' }), { audience: undefined }],
  'nbf within the tolerance': [() => signed({ nbf: NOW_S + 30 }), { clockToleranceS: 30 }],
  'an expired token, since that is for the caller to judge': [() => signed({ exp: NOW_S - 3_600 })],
  'a token without exp, for the same reason': [() => signed({ exp: undefined })],
  'a token of 8,192 characters': [() => ofLength(8_192)],
};

const REFUSED: Record<string, [() => unknown, string, Partial<JwksOptions>?]> = {
  'alg none': [() => `${part({ alg: 'none', kid: 'ec' })}.${part(claims())}.AA`, 'AlgorithmNotAllowed'],
  'alg none without signature': [() => `${part({ alg: 'none' })}.${part(claims())}.`, 'TokenMalformed'],
  'no alg': [() => signed({}, { alg: undefined }), 'TokenMalformed'],
  'alg as a list': [() => signed({}, { alg: ['ES256'] }), 'TokenMalformed'],
  'an algorithm that is not in the list': [() => signed(), 'AlgorithmNotAllowed', { algorithms: ['RS256'] }],
  'HS256 with the PEM of the public key (algorithm confusion)': [
    () => hmac(rsa.publicKey.export({ format: 'pem', type: 'spki' }), 'rsa'),
    'AlgorithmNotAllowed',
  ],
  'HS256 with the DER of the public key': [
    () => hmac(rsa.publicKey.export({ format: 'der', type: 'spki' }), 'rsa'),
    'AlgorithmNotAllowed',
  ],
  'HS256 with a shared secret that is published': [() => hmac(secret, 'secret'), 'AlgorithmNotAllowed'],
  'a key of another kind than alg says': [() => signed({}, { kid: 'rsa' }), 'KeyUnknown'],
  'RS256 by a key that is for PS256': [() => signed({}, { kid: 'pss' }, rsa), 'KeyUnknown'],
  'another key under a known name': [() => signed({}, {}, stranger), 'SignatureInvalid'],
  'a key that brings itself along (jwk)': [() => signed({}, { jwk: stranger.jwk }, stranger), 'SignatureInvalid'],
  'an unknown key': [() => signed({}, { kid: 'unknown' }), 'KeyUnknown'],
  'kid as a number': [() => signed({}, { kid: 7 }), 'KeyUnknown'],
  'no kid when several keys fit': [() => signed({}, { kid: undefined }), 'KeyAmbiguous'],
  'a kid that two keys have': [() => signed({}, {}, twins[0]), 'KeyAmbiguous'],
  'an RSA key of 1,024 bits': [() => signed({}, {}, short), 'KeyUnusable'],
  'a private key that is published': [() => signed({}, {}, leaked), 'KeyUnusable'],
  'a broken key': [() => signed({}, { kid: 'broken' }), 'KeyUnusable'],
  'a key for encrypting': [() => signed({}, {}, encrypting), 'KeyUnknown'],
  'a crit header': [() => signed({}, { crit: ['exp'], exp: 1 }), 'CriticalHeader'],
  'a crit header that jose understands': [() => unencoded(), 'CriticalHeader'],
  'a crit header that changes nothing': [() => signed({}, { crit: ['b64'], b64: true }), 'CriticalHeader'],
  'an empty crit header': [() => signed({}, { crit: [] }), 'TokenMalformed'],
  'a token of another type': [() => signed({}, { typ: 'logout+jwt' }), 'TypeMismatch', { typ: 'at+jwt' }],
  'a token without the type that is asked for': [
    () => signed({}, { typ: undefined }),
    'TypeMismatch',
    { typ: ['at+jwt'] },
  ],
  'another audience': [() => signed({ aud: 'chat' }), 'AudienceMismatch'],
  'no audience': [() => signed({ aud: undefined }), 'AudienceMismatch'],
  'another issuer': [() => signed({ iss: 'https://elsewhere.example' }), 'IssuerMismatch'],
  'an issuer that only begins alike': [() => signed({ iss: `${provider.issuer}.evil` }), 'IssuerMismatch'],
  'a list of issuers': [() => signed({ iss: [provider.issuer] }), 'IssuerMismatch'],
  'no issuer': [() => signed({ iss: undefined }), 'IssuerMismatch'],
  'nbf beyond the tolerance': [() => signed({ nbf: NOW_S + 6 }), 'NotActiveYet'],
  'exp as text': [() => signed({ exp: '9999999999' }), 'ClaimMalformed'],
  'another audience in an expired token': [() => signed({ aud: 'chat', exp: 1 }), 'AudienceMismatch'],
  'an expired token whose time has not come': [() => signed({ nbf: NOW_S + 60, exp: 1 }), 'NotActiveYet'],
  'changed claims': [() => changed(), 'SignatureInvalid'],
  'a truncated signature': [() => signed().slice(0, -4), 'SignatureInvalid'],
  'claims that are a list': [() => signedBy(ec, []), 'TokenMalformed'],
  'claims that are no JSON': [() => signedBy(ec, '{'), 'TokenMalformed'],
  'claims that are no UTF-8': [() => `${part({ alg: 'ES256' })}._w.AA`, 'TokenMalformed'],
  'a header that is no JSON': [() => signed().replace(/^[^.]+/, 'AAAA'), 'TokenMalformed'],
  'five parts': [() => `${signed()}.AA.AA`, 'TokenMalformed'],
  'a space before it': [() => ` ${signed()}`, 'TokenMalformed'],
  'a line break behind it': [() => `${signed()}\n`, 'TokenMalformed'],
  padding: [() => `${signed()}=`, 'TokenMalformed'],
  'a token of 8,193 characters': [() => ofLength(8_193), 'TokenMalformed'],
  'a list that reads like a token': [() => [signed()], 'TokenMalformed'],
};

describe('JwksVerifier', () => {
  it.each(Object.entries(ACCEPTED))('accepts %s', async (_what, [token, changes]) => {
    const verifier = await provider.verifier({ algorithms, ...changes }, clock);
    await expect(verifier.verify(token())).resolves.toMatchObject({ sub: 'ann' });
  });

  it.each(Object.entries(REFUSED))('refuses %s', async (_what, [token, reason, changes]) => {
    const failure = await refusalOf(token(), changes);
    expect(failure).toMatchObject({ code: 'UNAUTHENTICATED', cause: { name: reason } });
  });

  it('tells every refused client the same, and nothing of its token', async () => {
    const failures = await Promise.all(Object.values(REFUSED).map(([token, , changes]) => refusalOf(token(), changes)));
    const told = failures.map(({ code, message, details }) => `${code} ${message} ${String(details)}`);
    expect(new Set(told)).toEqual(new Set(['UNAUTHENTICATED The token is not valid. undefined']));
    expect(inspect(failures, { depth: null })).not.toMatch(/ann|elsewhere\.example|unknown|chat/);
  });
});

/** A token whose claims are not encoded (RFC 7797), and which is genuine as such. */
function unencoded(): string {
  return signed({}, { crit: ['b64'], b64: false });
}

function changed(): string {
  const [header, , signature] = signed().split('.');
  return `${header}.${part(claims({ sub: 'root' }))}.${signature}`;
}
