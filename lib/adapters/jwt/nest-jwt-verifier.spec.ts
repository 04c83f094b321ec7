import {
  constants,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign as signWith,
  type KeyObject,
} from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { RealtimeError } from '../../errors/realtime.error.js';
import { JWT_ALGORITHMS, type JwtAlgorithm } from './jwt-algorithm.js';
import type { RealtimeJwtOptions } from './jwt-options.js';
import { NestJwtVerifier } from './nest-jwt-verifier.js';

const NOW_S = 1_800_000_000;
const clock = { now: () => NOW_S * 1_000 };

const secret = randomBytes(64);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaPem = rsa.publicKey.export({ format: 'pem', type: 'spki' }) as string;

const claims = { sub: 'ann', iss: 'https://issuer.example', aud: 'realtime', exp: NOW_S + 60 };
const genuine = hmacToken({ alg: 'HS256', typ: 'JWT' }, claims);
const [header, payload, signature] = genuine.split('.') as [string, string, string];

const hs: RealtimeJwtOptions = { secret, algorithms: ['HS256'], issuer: claims.iss, audience: claims.aud };
const rs: RealtimeJwtOptions = { publicKey: rsaPem, algorithms: ['RS256'] };

describe('NestJwtVerifier', () => {
  describe.each(JWT_ALGORITHMS)('%s', (algorithm) => {
    const { options, token } = pairFor(algorithm);

    it('accepts a token signed with the key', async () => {
      await expect(verify(token, options)).resolves.toEqual(claims);
    });

    // Each EC key has its one algorithm: any other list does not boot.
    if (algorithm.startsWith('ES')) return;

    it('refuses the same token when only others of its kind are allowed', async () => {
      const algorithms = JWT_ALGORITHMS.filter((name) => name !== algorithm && name.startsWith(algorithm.slice(0, 2)));
      await expect(reasonOf(token, { ...options, algorithms })).resolves.toBe('AlgorithmNotAllowed');
    });
  });

  it.each<[string, string, Partial<RealtimeJwtOptions>?]>([
    ['a genuine token', genuine],
    ['a token without typ', hmacToken({ alg: 'HS256' }, claims)],
    ['a token of one of several issuers', genuine, { issuer: ['https://other.example', claims.iss] }],
    ['a token for one of several audiences', genuine, { audience: ['other', claims.aud] }],
    ['a token that names several audiences', hmacToken({ alg: 'HS256' }, { ...claims, aud: ['other', 'realtime'] })],
    [
      'any issuer and audience when none are asked for',
      hmacToken({ alg: 'HS256' }, { sub: 'ann' }),
      { issuer: undefined, audience: undefined },
    ],
    ['nbf now', withClaims({ nbf: NOW_S })],
    ['nbf 5 s ahead, the default tolerance', withClaims({ nbf: NOW_S + 5 })],
    ['nbf 30 s ahead within a tolerance of 30 s', withClaims({ nbf: NOW_S + 30 }), { clockToleranceS: 30 }],
    ['an expired token, since that is for the caller to judge', withClaims({ exp: NOW_S - 3_600 })],
    ['a token without exp, for the same reason', withClaims({ exp: undefined })],
    ['a token of 8,192 characters', padded(8_192)],
  ])('accepts %s', async (_what, token, changes) => {
    await expect(verify(token, { ...hs, ...changes })).resolves.toBeTypeOf('object');
  });

  it.each<[string, unknown, string, RealtimeJwtOptions?]>([
    ['alg none without signature', `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`, 'SignatureMissing'],
    [
      'alg none with a signature',
      `${part({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`,
      'AlgorithmNotAllowed',
    ],
    ['alg None', `${part({ alg: 'None', typ: 'JWT' })}.${payload}.${signature}`, 'AlgorithmNotAllowed'],
    ['no alg', `${part({ typ: 'JWT' })}.${payload}.${signature}`, 'AlgorithmNotAllowed'],
    ['alg as a list', `${part({ alg: ['HS256'] })}.${payload}.${signature}`, 'AlgorithmNotAllowed'],
    [
      'HS256 signed with the public key (algorithm confusion)',
      hmacToken({ alg: 'HS256' }, claims, rsaPem),
      'AlgorithmNotAllowed',
      rs,
    ],
    [
      'HS256 signed with the public key in DER',
      hmacToken({ alg: 'HS256' }, claims, rsa.publicKey.export({ format: 'der', type: 'spki' })),
      'AlgorithmNotAllowed',
      rs,
    ],
    ['another RSA key', asymmetricToken('RS256', otherRsa.privateKey), 'SignatureInvalid', rs],
    [
      'an embedded key (jwk)',
      asymmetricToken('RS256', otherRsa.privateKey, { jwk: otherRsa.publicKey.export({ format: 'jwk' }) }),
      'SignatureInvalid',
      rs,
    ],
    ['another secret', hmacToken({ alg: 'HS256' }, claims, randomBytes(64)), 'SignatureInvalid'],
    ['an empty secret', hmacToken({ alg: 'HS256' }, claims, ''), 'SignatureInvalid'],
    ['another audience', withClaims({ aud: 'other' }), 'AudienceMismatch'],
    ['an audience that only begins alike', withClaims({ aud: 'realtime2' }), 'AudienceMismatch'],
    ['no audience', withClaims({ aud: undefined }), 'AudienceMismatch'],
    ['another issuer', withClaims({ iss: 'https://issuer.example.evil' }), 'IssuerMismatch'],
    ['no issuer', withClaims({ iss: undefined }), 'IssuerMismatch'],
    ['an issuer that is a list', withClaims({ iss: [claims.iss] }), 'IssuerMismatch'],
    ['nbf 6 s ahead', withClaims({ nbf: NOW_S + 6 }), 'NotActiveYet'],
    ['nbf as text', withClaims({ nbf: '0' }), 'TokenMalformed'],
    ['a crit header', hmacToken({ alg: 'HS256', crit: ['exp'] }, claims), 'CriticalHeader'],
    ['an empty crit header', hmacToken({ alg: 'HS256', crit: [] }, claims), 'CriticalHeader'],
    ['no signature', `${header}.${payload}.`, 'SignatureMissing'],
    ['a truncated signature', genuine.slice(0, -2), 'SignatureInvalid'],
    ['two parts', `${header}.${payload}`, 'TokenMalformed'],
    ['four parts', `${genuine}.${signature}`, 'TokenMalformed'],
    ['doubled dots', genuine.replace('.', '..'), 'TokenMalformed'],
    ['a space before it', ` ${genuine}`, 'TokenMalformed'],
    ['a tab before it', `\t${genuine}`, 'TokenMalformed'],
    ['a line break behind it', `${genuine}\n`, 'TokenMalformed'],
    ['a space within it', `${header} .${payload}.${signature}`, 'TokenMalformed'],
    ['padding', `${header}=.${payload}.${signature}`, 'TokenMalformed'],
    ['a header that is no JSON', `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`, 'TokenMalformed'],
    ['a payload that is no JSON', hmacToken({ alg: 'HS256', typ: 'JWT' }, '{'), 'TokenMalformed'],
    ['a payload of text', hmacToken({ alg: 'HS256' }, 'ann'), 'TokenMalformed', { secret, algorithms: ['HS256'] }],
    [
      'a payload of null',
      hmacToken({ alg: 'HS256', typ: 'JWT' }, 'null'),
      'TokenMalformed',
      { secret, algorithms: ['HS256'] },
    ],
    [
      'a payload that is a list',
      hmacToken({ alg: 'HS256' }, '[]'),
      'TokenMalformed',
      { secret, algorithms: ['HS256'] },
    ],
    ['a token of 8,193 characters', padded(8_193), 'TokenMalformed'],
    ['no text', '', 'TokenMalformed'],
    ['nothing', undefined, 'TokenMalformed'],
    ['a number', 7, 'TokenMalformed'],
    ['a list that reads like a token', [genuine], 'TokenMalformed'],
    ['an object that reads like a token', { toString: () => genuine }, 'TokenMalformed'],
  ])('refuses %s', async (_what, token, reason, options = hs) => {
    await expect(reasonOf(token, options)).resolves.toBe(reason);
  });

  it('tells every refused client the same', async () => {
    const tokens = [
      '',
      `${header}.${payload}.`,
      withClaims({ aud: 'other' }),
      hmacToken({ alg: 'HS256', crit: [] }, claims),
    ];
    const errors = await Promise.all(tokens.map((token) => refusalOf(token, hs)));
    const told = errors.map(({ code, message, details }) => `${code} ${message} ${String(details)}`);
    expect(new Set(told)).toEqual(new Set(['UNAUTHENTICATED The token is not valid. undefined']));
  });

  it('quotes nothing of a token in its errors', async () => {
    const marker = 'zqx-marker';
    const tokens = [
      `${Buffer.from(marker).toString('base64url')}.${payload}.${signature}`,
      hmacToken({ alg: 'HS256', typ: 'JWT' }, marker),
    ];
    const errors = await Promise.all(tokens.map((token) => refusalOf(token, hs)));
    expect(inspect(errors, { depth: null })).not.toContain(marker);
  });

  it('ignores what was changed in the options after it was made', async () => {
    const algorithms: JwtAlgorithm[] = ['HS256'];
    const own = new NestJwtVerifier({ secret, algorithms }, clock);
    algorithms[0] = 'HS512';
    expect(await own.verify(genuine)).toEqual(claims);
  });

  it('takes a secret given as text as its UTF-8 bytes', async () => {
    const token = hmacToken({ alg: 'HS256' }, claims, Buffer.from('geheim ü'));
    await expect(verify(token, { secret: 'geheim ü', allowShortSecret: true, algorithms: ['HS256'] })).resolves.toEqual(
      claims,
    );
  });

  it('does not boot with options that are wrong, and says which', () => {
    expect(() => verifier({ secret: rsaPem, algorithms: ['HS256'] })).toThrow(RealtimeConfigurationError);
    expect(() => verifier({ secret: rsaPem, algorithms: ['HS256'] })).toThrow(
      'jwt.secret looks like the key of a key pair',
    );
  });
});

function verifier(options: RealtimeJwtOptions): NestJwtVerifier {
  return new NestJwtVerifier(options, clock);
}

async function verify(token: string, options: RealtimeJwtOptions) {
  return verifier(options).verify(token);
}

async function refusalOf(token: unknown, options: RealtimeJwtOptions): Promise<RealtimeError> {
  const error = await verify(token as string, options).catch((reason: unknown) => reason);
  if (error instanceof RealtimeError) return error;
  throw new Error(`accepted, or failed in another way: ${inspect(error)}`);
}

async function reasonOf(token: unknown, options: RealtimeJwtOptions): Promise<string> {
  return ((await refusalOf(token, options)).cause as Error).name;
}

function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

function hmacToken(
  head: { alg: string; [name: string]: unknown },
  body: unknown,
  key: string | Buffer = secret,
): string {
  const input = `${part(head)}.${part(body)}`;
  return `${input}.${createHmac(`sha${head.alg.slice(2)}`, key)
    .update(input)
    .digest('base64url')}`;
}

function withClaims(changes: object): string {
  return hmacToken({ alg: 'HS256', typ: 'JWT' }, { ...claims, ...changes });
}

function padded(length: number): string {
  for (let size = 5_000; ; size += 1) {
    const token = withClaims({ pad: 'x'.repeat(size) });
    if (token.length >= length) return token;
  }
}

function asymmetricToken(algorithm: JwtAlgorithm, key: KeyObject, head: object = {}): string {
  const input = `${part({ alg: algorithm, ...head })}.${part(claims)}`;
  const options = algorithm.startsWith('PS')
    ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: Number(algorithm.slice(2)) / 8 }
    : {};
  const bytes = signWith(`sha${algorithm.slice(2)}`, Buffer.from(input), {
    key,
    dsaEncoding: 'ieee-p1363',
    ...options,
  });
  return `${input}.${bytes.toString('base64url')}`;
}

function pairFor(algorithm: JwtAlgorithm): { options: RealtimeJwtOptions; token: string } {
  if (algorithm.startsWith('HS')) {
    return { options: { secret, algorithms: [algorithm] }, token: hmacToken({ alg: algorithm }, claims) };
  }
  const curve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' }[algorithm as string];
  const { privateKey } = curve ? generateKeyPairSync('ec', { namedCurve: curve }) : rsa;
  const publicKey = createPublicKey(privateKey);
  return { options: { publicKey, algorithms: [algorithm] }, token: asymmetricToken(algorithm, privateKey) };
}
