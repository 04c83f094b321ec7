import { createSecretKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { describeProblems } from '../../core/base/problem.js';
import { explainJwtOptions, isShortSecret, type RealtimeJwtOptions } from './jwt-options.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const smallRsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed25519 = generateKeyPairSync('ed25519');
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });

const secret = randomBytes(32);
const rsaPem = pem(rsa.publicKey);

const hs = (changes: object = {}) => ({ secret, algorithms: ['HS256'], ...changes });
const rs = (changes: object = {}) => ({ publicKey: rsaPem, algorithms: ['RS256'], ...changes });

/** Self-signed for example.test, P-256; its private key was never kept. Node cannot make certificates. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBgjCCASmgAwIBAgIUK/ypQtAc7JPL+ILRa5rDPXt5rIQwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMZXhhbXBsZS50ZXN0MB4XDTI2MTEyMzExMDMxMloXDTM2MTEy
MDExMDMxMlowFzEVMBMGA1UEAwwMZXhhbXBsZS50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE4QyRkBn1SIVcaChD0xW9T6IgLItb2Pz+MHtxpqol3umAMsph
YKl/VuAokag5Ssiu8Gm5zVCc8CykMizCjEsebKNTMFEwHQYDVR0OBBYEFLSKpHrW
UFneLdJdaEddT2fuYxWUMB8GA1UdIwQYMBaAFLSKpHrWUFneLdJdaEddT2fuYxWU
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgIAM5cvlxrbnuwvCe
JfLYe6v0VeNGT5LRSIZa7Fw2n8cCIGuGU4+ZwzoS1RJRJtH/2DYBHLjqkSUaRlhB
5UaCnwda
-----END CERTIFICATE-----
`;

describe('explainJwtOptions', () => {
  it.each<[string, object]>([
    ['a Buffer', hs()],
    ['a short string that is asked for', hs({ secret: 'dev', allowShortSecret: true })],
    ['random bytes written in base64', hs({ secret: Buffer.from([0x30, ...randomBytes(31)]).toString('base64') })],
    ['several algorithms of one kind', hs({ secret: randomBytes(64), algorithms: ['HS256', 'HS384', 'HS512'] })],
    ['an RSA key as PEM', rs()],
    ['an RSA key as a Buffer of PEM', rs({ publicKey: Buffer.from(rsaPem) })],
    ['an RSA key as KeyObject', rs({ publicKey: rsa.publicKey })],
    ['an RSA key for RS256 and PS256', rs({ algorithms: ['RS256', 'PS256'] })],
    ['an RSA-PSS key for PS256', rs({ publicKey: pss.publicKey, algorithms: ['PS256'] })],
    ['an EC key for ES256', rs({ publicKey: pem(p256.publicKey), algorithms: ['ES256'] })],
    ['an EC key for ES384', rs({ publicKey: pem(p384.publicKey), algorithms: ['ES384'] })],
    ['a certificate', rs({ publicKey: CERTIFICATE, algorithms: ['ES256'] })],
    ['issuer, audience and tolerance', hs({ issuer: 'i', audience: ['a', 'b'], clockToleranceS: 0 })],
    [
      'options that are there but undefined',
      hs({ publicKey: undefined, issuer: undefined, clockToleranceS: undefined }),
    ],
  ])('finds no fault with %s', (_what, options) => {
    expect(explainJwtOptions(options)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'options must be an object'],
    [
      'an unknown option',
      hs({ audiance: 'a' }),
      'audiance is not an option; the options are: secret, allowShortSecret',
    ],
    ['no algorithms', { secret }, "algorithms must list the accepted signature algorithms, such as ['HS256']"],
    ['an empty list of algorithms', hs({ algorithms: [] }), 'algorithms must list'],
    ['a single name instead of a list', hs({ algorithms: 'HS256' }), 'algorithms must list'],
    ['an unknown algorithm', hs({ algorithms: ['hs256'] }), 'algorithms has an unknown name; choose from HS256, HS384'],
    ['EdDSA', rs({ algorithms: ['EdDSA'] }), 'algorithms has an unknown name'],
    ['none', hs({ algorithms: ['HS256', 'none'] }), 'algorithms must not contain "none"'],
    ['mixed kinds', hs({ algorithms: ['HS256', 'RS256'] }), 'algorithms must not mix kinds (HS256, RS256)'],
    ['RSA mixed with EC', rs({ algorithms: ['RS256', 'ES256'] }), 'algorithms must not mix kinds'],
    ['no key at all', { algorithms: ['HS256'] }, 'secret is missing, and so is publicKey'],
    ['both keys', hs({ publicKey: rsaPem }), 'secret and publicKey must not both be given'],
    [
      'a secret for RS256',
      hs({ algorithms: ['RS256'] }),
      'secret cannot be used with RS256, which is verified with publicKey',
    ],
    [
      'a public key for HS256',
      rs({ algorithms: ['HS256'] }),
      'publicKey cannot be used with HS256, which is verified with secret',
    ],
    ['an empty secret', hs({ secret: '' }), 'secret must be a non-empty string or Buffer'],
    ['an empty Buffer', hs({ secret: Buffer.alloc(0) }), 'secret must be a non-empty string or Buffer'],
    ['a number as secret', hs({ secret: 7 }), 'secret must be a non-empty string or Buffer'],
    ['a public key as secret', hs({ secret: rsaPem }), 'secret looks like the key of a key pair'],
    ['an indented public key as secret', hs({ secret: `\n  ${rsaPem}` }), 'secret looks like the key of a key pair'],
    [
      'a Buffer of a public key as secret',
      hs({ secret: Buffer.from(rsaPem) }),
      'secret looks like the key of a key pair',
    ],
    ['a certificate as secret', hs({ secret: CERTIFICATE }), 'secret looks like the key of a key pair'],
    ['a DER key as secret', hs({ secret: der(rsa.publicKey, 'spki') }), 'secret looks like the key of a key pair'],
    ['a PKCS#1 key as secret', hs({ secret: der(rsa.publicKey, 'pkcs1') }), 'secret looks like the key of a key pair'],
    [
      'a DER key in base64 as secret',
      hs({ secret: der(rsa.publicKey, 'spki').toString('base64') }),
      'secret looks like',
    ],
    ['a DER certificate as secret', hs({ secret: derOfPem(CERTIFICATE) }), 'secret looks like the key of a key pair'],
    ['a JWK as secret', hs({ secret: JSON.stringify(rsa.publicKey.export({ format: 'jwk' })) }), 'secret looks like'],
    ['an SSH key as secret', hs({ secret: 'ssh-ed25519 AAAA me@host' }), 'secret looks like the key of a key pair'],
    [
      'a private key as publicKey',
      rs({ publicKey: pem(rsa.privateKey) }),
      'publicKey is a private key; give the public one',
    ],
    ['a private KeyObject', rs({ publicKey: rsa.privateKey }), 'publicKey is a private key'],
    ['a secret KeyObject', rs({ publicKey: createSecretKey(secret) }), 'publicKey is a secret; give it as `secret`'],
    ['a number as publicKey', rs({ publicKey: 7 }), 'publicKey must be PEM text'],
    ['PEM without line breaks', rs({ publicKey: rsaPem.replaceAll('\n', '\\n') }), 'publicKey cannot be read'],
    ['an empty publicKey', rs({ publicKey: '' }), 'publicKey cannot be read'],
    [
      'an EC key for RS256',
      rs({ publicKey: p256.publicKey }),
      'publicKey is of type prime256v1, which RS256 cannot use',
    ],
    ['an RSA key for ES256', rs({ algorithms: ['ES256'] }), 'publicKey is of type rsa, which ES256 cannot use'],
    ['a P-256 key for ES384', rs({ publicKey: p256.publicKey, algorithms: ['ES384'] }), 'which ES384 cannot use'],
    [
      'an RSA-PSS key for RS256',
      rs({ publicKey: pss.publicKey }),
      'publicKey is of type rsa-pss, which RS256 cannot use',
    ],
    ['an Ed25519 key', rs({ publicKey: ed25519.publicKey }), 'publicKey is of type ed25519'],
    [
      'an RSA key of 1024 bits',
      rs({ publicKey: smallRsa.publicKey }),
      'publicKey has 1024 bits; RS256 needs at least 2048',
    ],
    ['an empty issuer', hs({ issuer: '' }), 'issuer must be a non-empty string or list of them'],
    ['an empty list of issuers', hs({ issuer: [] }), 'issuer must be a non-empty string'],
    ['an audience that is a pattern', hs({ audience: /a/ }), 'audience must be a non-empty string'],
    ['an audience list with a gap', hs({ audience: ['a', ''] }), 'audience must be a non-empty string'],
    ['a negative tolerance', hs({ clockToleranceS: -1 }), 'clockToleranceS must be a number of seconds from 0 to 300'],
    ['a tolerance of 301 s', hs({ clockToleranceS: 301 }), 'clockToleranceS must be a number of seconds'],
    ['a tolerance that is not a number', hs({ clockToleranceS: NaN }), 'clockToleranceS must be a number of seconds'],
    ['a tolerance as text', hs({ clockToleranceS: '5' }), 'clockToleranceS must be a number of seconds'],
  ])('names the mistake for %s', (_what, options, expected) => {
    expect(describeProblems(explainJwtOptions(options))).toContain(expected);
  });

  it('names every mistake at once', () => {
    const problems = explainJwtOptions({ algorithms: [], issuer: '', clockToleranceS: -1 });
    expect(problems.map(({ at }) => at)).toEqual(['algorithms', 'secret', 'issuer', 'clockToleranceS']);
  });

  it('says nothing of the key material', () => {
    const broken = rsaPem.replace('PUBLIC KEY-----\n', 'PUBLIC KEY-----\nbroken');
    const text = describeProblems([
      ...explainJwtOptions(hs({ secret: rsaPem })),
      ...explainJwtOptions(rs({ publicKey: broken })),
    ]);
    const lines = broken.split('\n').filter((line) => line && !line.startsWith('-----'));
    expect(lines.filter((line) => text.includes(line.slice(0, 8)))).toEqual([]);
  });
});

describe('isShortSecret', () => {
  it.each<[number, RealtimeJwtOptions['algorithms'], boolean]>([
    [31, ['HS256'], true],
    [32, ['HS256'], false],
    [32, ['HS256', 'HS512'], true],
    [47, ['HS384'], true],
    [64, ['HS512'], false],
  ])('judges %i bytes for %j as %j', (bytes, algorithms, expected) => {
    expect(isShortSecret({ secret: randomBytes(bytes), algorithms })).toBe(expected);
  });

  it('counts the bytes of a string, not its characters', () => {
    expect(isShortSecret({ secret: 'ü'.repeat(16), algorithms: ['HS256'] })).toBe(false);
  });

  it('has nothing to say about public keys', () => {
    expect(isShortSecret({ publicKey: rsaPem, algorithms: ['RS256'] })).toBe(false);
  });
});

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: key.type === 'private' ? 'pkcs8' : 'spki' }) as string;
}

function der(key: KeyObject, type: 'spki' | 'pkcs1'): Buffer {
  return key.export({ format: 'der', type });
}

function derOfPem(text: string): Buffer {
  return Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64');
}

describe('a secret of HMAC', () => {
  const problems = (bytes: number, algorithm: 'HS256' | 'HS384' | 'HS512', rest: object = {}) =>
    explainJwtOptions({ secret: randomBytes(bytes), algorithms: [algorithm], ...rest });

  it.each([
    [31, 'HS256', ['secret']],
    [32, 'HS256', []],
    [47, 'HS384', ['secret']],
    [48, 'HS384', []],
    [63, 'HS512', ['secret']],
    [64, 'HS512', []],
  ] as const)('of %i bytes for %s has these faults: %j', (bytes, algorithm, faults) => {
    expect(problems(bytes, algorithm).map(({ at }) => at)).toEqual(faults);
  });

  it('may be shorter where that is asked for', () => {
    expect(problems(8, 'HS256', { allowShortSecret: true })).toEqual([]);
  });

  it('is not quoted, and the cure is told', () => {
    const [problem] = explainJwtOptions({ secret: 'hunter2', algorithms: ['HS256'] });
    expect(problem!.message).toContain('openssl rand -base64 32');
    expect(problem!.message).not.toContain('hunter2');
  });

  it.each([['yes'], [1], [null]])('is not made shorter by %j', (allowShortSecret) => {
    expect(problems(8, 'HS256', { allowShortSecret }).map(({ at }) => at)).toContain('allowShortSecret');
  });
});

it.each([
  ['at+jwt', []],
  [['at+jwt', 'JWT'], []],
  ['', ['typ']],
  [[], ['typ']],
  [7, ['typ']],
])('the option typ %j has these faults: %j', (typ, faults) => {
  const options = { secret: randomBytes(32), algorithms: ['HS256'], typ };
  expect(explainJwtOptions(options).map(({ at }) => at)).toEqual(faults);
});
