import { RealtimeConfigurationError, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { listen } from '../../helpers/listening-app.js';
import { RSA_KEYS, SECRET } from '../../helpers/signed-token.js';

const jwt = { secret: SECRET, algorithms: ['HS256'] };

/** The error that a boot with these options stops with. */
async function failure(options: unknown): Promise<Error> {
  try {
    await listen({ imports: [RealtimeModule.forRoot(options as RealtimeOptions)] });
  } catch (error) {
    return error as Error;
  }
  throw new Error('The application booted.');
}

const WRONG: [string, object, string][] = [
  ['a path that is no text', { path: 7 }, 'path must be a path like "/ws", without query or fragment; got 7'],
  ['a path without a slash', { path: 'ws' }, 'path must be a path like "/ws", without query or fragment; got "ws"'],
  ['a path with a query', { path: '/ws?a=1' }, 'path must be a path like "/ws"'],
  ['a path with a fragment', { path: '/ws#a' }, 'path must be a path like "/ws"'],
  ['a path with a space', { path: '/w s' }, 'path must be a path like "/ws"'],
  ['an empty path', { path: '' }, 'path must be a path like "/ws"'],
  ['a protocol that is no switch', { centrifuge: '/sdk' }, 'centrifuge must be true, false, or an object like { path'],
  ['a path of SDKs without a slash', { centrifuge: { path: 'sdk' } }, 'centrifuge.path must be a path like'],
  ['one path for two protocols', { centrifuge: { path: '/ws' } }, 'centrifuge.path must differ from the path of'],
  [
    'topics of users’ own that are no switch',
    { centrifuge: { personalTopics: 100 } },
    'centrifuge.personalTopics must be true, false, or an object like { size: 100, ttlMs: 3600000 }',
  ],
  [
    'too much that is kept of a user',
    { centrifuge: { personalTopics: { size: 10_001 } } },
    'centrifuge.personalTopics.size must be a whole number of messages from 1 to 10000; for example 100; got 10001',
  ],
  [
    'what is kept of a user for ever',
    { centrifuge: { personalTopics: { ttlMs: Infinity } } },
    'centrifuge.personalTopics.ttlMs must be a whole number of milliseconds from 1000 to 604800000',
  ],
  [
    'an unknown option of what is kept of a user',
    { centrifuge: { personalTopics: { ttl: 1_000 } } },
    'centrifuge.personalTopics.ttl is not an option; the options are: size, ttlMs',
  ],
  ['a switch that is no boolean', { useGlobalPrefix: 'yes' }, 'useGlobalPrefix must be true or false; got "yes"'],
  ['metadata that is no function', { metadata: {} }, 'metadata must be a function (info, identity) => ({'],
  ['claims that is no function', { claims: {} }, 'claims must be a function (claims, info) => ({ userId'],
  ['a section that is no object', { limits: 7 }, 'options: limits must be an object; got a number'],
  ['a section that is null', { heartbeat: null }, 'options: heartbeat must be an object; got null'],
  ['an unknown option', { paht: '/ws' }, 'paht is not an option; the options are: path, useGlobalPrefix, jwt'],
  [
    'an unknown option of a section',
    { limits: { maxMessageByte: 1 } },
    'limits.maxMessageByte is not an option; the options are: maxMessageBytes',
  ],
  ['a token that is true', { token: { query: true } }, 'token.query must be the name of a query parameter, or false'],
  ['a token without a name', { token: { query: '' } }, 'token.query must be the name of a query parameter, or false'],
  ['a token.from that is no function', { token: { from: 'cookie' } }, 'token.from must be a function (request) =>'],
  ['a first command that is no boolean', { token: { firstCommand: 1 } }, 'token.firstCommand must be true or false'],
  [
    'an origin with a path',
    { allowedOrigins: ['https://a.example/'] },
    'allowedOrigins must be a list of origins like',
  ],
  ['an origin without a scheme', { allowedOrigins: ['a.example'] }, 'allowedOrigins must be a list of origins like'],
  [
    'an origin with a wildcard',
    { allowedOrigins: ['https://*.a.example'] },
    'allowedOrigins must be a list of origins',
  ],
  ['an origin outside of a list', { allowedOrigins: 'https://a.example' }, 'allowedOrigins must be a list of origins'],
  ['a list with "*"', { allowedOrigins: ['*'] }, 'allowedOrigins must be a list of origins like'],
  [
    'a negative number of proxies',
    { trustProxy: -1 },
    'trustProxy must be the number of proxies to trust, or a list of',
  ],
  ['a half proxy', { trustProxy: 0.5 }, 'trustProxy must be the number of proxies to trust, or a list of'],
  ['a boolean for proxies', { trustProxy: true }, 'trustProxy must be the number of proxies to trust, or a list of'],
  ['a proxy by name', { trustProxy: ['loopback'] }, 'trustProxy must be the number of proxies to trust, or a list of'],
  [
    'a proxy address that is none',
    { trustProxy: ['10.0.0'] },
    'trustProxy must be the number of proxies to trust, or a list',
  ],
  [
    'a range of too many bits',
    { trustProxy: ['10.0.0.0/33'] },
    'trustProxy must be the number of proxies to trust, or a list',
  ],
  ['a range of 129 bits', { trustProxy: ['::1/129'] }, 'trustProxy must be the number of proxies to trust, or a list'],
  ['roles that are no list', { authorize: { roles: 'admin' } }, 'authorize.roles must be a list of non-empty strings'],
  ['an empty role', { authorize: { roles: [''] } }, 'authorize.roles must be a list of non-empty strings'],
  ['a permission that is no text', { authorize: { permissions: [7] } }, 'authorize.permissions must be a list of'],
  [
    'allowExpired that is no boolean',
    { authorize: { allowExpired: 0 } },
    'authorize.allowExpired must be true or false',
  ],
  ['a limit that is no number', { limits: { maxFragments: '64' } }, 'limits.maxFragments must be a whole number of'],
  [
    'a limit of zero',
    { limits: { mailboxSize: 0 } },
    'limits.mailboxSize must be a whole number of commands of at least 1',
  ],
  ['a broken limit', { limits: { maxJsonDepth: 1.5 } }, 'limits.maxJsonDepth must be a whole number of levels'],
  [
    'a limit that is not a number',
    { limits: { maxJsonKeys: NaN } },
    'limits.maxJsonKeys must be a whole number of keys',
  ],
  [
    'half a command over all gateways',
    { limits: { totalCommandsPerSecond: 0.5 } },
    'limits.totalCommandsPerSecond must be a whole number of commands of at least 1',
  ],
  ['a message of too few bytes', { limits: { maxMessageBytes: 100 } }, 'limits.maxMessageBytes must be a whole number'],
  [
    'topics that are too long',
    { limits: { maxTopicLength: 256 } },
    'limits.maxTopicLength must be a whole number of characters',
  ],
  [
    'a deadline that no timer holds',
    { limits: { authTimeoutMs: 2 ** 31 } },
    'limits.authTimeoutMs must be a whole number of milliseconds from 1 to 2147483647; for example 10000',
  ],
  [
    'an interval of zero',
    { heartbeat: { intervalMs: 0 } },
    'heartbeat.intervalMs must be a whole number of milliseconds from 1',
  ],
  ['a timeout that is no number', { heartbeat: { timeoutMs: '1s' } }, 'heartbeat.timeoutMs must be a whole number'],
  [
    'an endless drain',
    { drain: { timeoutMs: Infinity } },
    'drain.timeoutMs must be a whole number of milliseconds from 1',
  ],
  [
    'a grace that is negative',
    { presence: { graceMs: -1 } },
    'presence.graceMs must be a whole number of milliseconds from 0 to 2147483647; for example 10000; got -1',
  ],
  ['an endless grace', { presence: { graceMs: Infinity } }, 'presence.graceMs must be a whole number of milliseconds'],
  ['online that is no boolean', { presence: { online: 1 } }, 'presence.online must be true or false; got 1'],
  [
    'an unknown option of presence',
    { presence: { grace: 1 } },
    'presence.grace is not an option; the options are: graceMs, coalesceMs, online',
  ],
  ['no listed users', { limits: { maxPresenceUsers: 0 } }, 'limits.maxPresenceUsers must be a whole number of users'],
  ['a report that is no boolean', { report: 'no' }, 'report must be true or false; got "no"'],
];

const WRONG_JWT: [string, unknown, string][] = [
  ['no object', 'HS256', 'jwt must be an object like { secret, algorithms: ["HS256"] }'],
  [
    'without algorithms',
    { secret: SECRET },
    "jwt.algorithms must list the accepted signature algorithms, such as ['HS256']",
  ],
  [
    'with an unknown algorithm',
    { secret: SECRET, algorithms: ['HS1'] },
    'jwt.algorithms has an unknown name; choose from',
  ],
  ['with "none"', { secret: SECRET, algorithms: ['none'] }, 'jwt.algorithms must not contain "none"'],
  [
    'with algorithms of two kinds',
    { secret: SECRET, algorithms: ['HS256', 'RS256'] },
    'jwt.algorithms must not mix kinds (HS256, RS256): keep those that the issuer signs with',
  ],
  ['without a key', { algorithms: ['HS256'] }, 'jwt.secret is missing, and so is publicKey: give one of them'],
  [
    'with two keys',
    { secret: SECRET, publicKey: RSA_KEYS.publicKey, algorithms: ['HS256'] },
    'jwt.secret and publicKey must not both be given',
  ],
  ['with an empty secret', { secret: '', algorithms: ['HS256'] }, 'jwt.secret must be a non-empty string or Buffer'],
  [
    'with a public key as the secret',
    { secret: RSA_KEYS.publicKey, algorithms: ['HS256'] },
    'jwt.secret looks like the key of a key pair; as a secret it would let anyone with the public key sign tokens',
  ],
  [
    'with a private key as the public one',
    { publicKey: RSA_KEYS.privateKey, algorithms: ['RS256'] },
    'jwt.publicKey is a private key; give the public one',
  ],
  [
    'with a secret as the public key',
    { publicKey: SECRET, algorithms: ['RS256'] },
    'jwt.publicKey cannot be read: it must be PEM text',
  ],
  [
    'with a secret for RS256',
    { secret: SECRET, algorithms: ['RS256'] },
    'jwt.secret cannot be used with RS256, which is verified with publicKey',
  ],
  ['with an unknown option', { ...jwt, secrt: SECRET }, 'jwt.secrt is not an option; the options are: secret,'],
  ['with an empty issuer', { ...jwt, issuer: '' }, 'jwt.issuer must be a non-empty string or list of them'],
  ['with an audience that is no text', { ...jwt, audience: [7] }, 'jwt.audience must be a non-empty string or list of'],
  [
    'with an hour of tolerance',
    { ...jwt, clockToleranceS: 3_600 },
    'jwt.clockToleranceS must be a number of seconds from 0 to 300',
  ],
];

describe('The boot stops and names the option and its cure for', () => {
  it.each(WRONG)('%s', async (_what, options, text) => {
    expect((await failure({ jwt, ...options })).message).toContain(text);
  });

  it.each(WRONG_JWT)('a jwt %s', async (_what, wrong, text) => {
    expect((await failure({ jwt: wrong })).message).toContain(text);
  });

  it('a jwt that is missing', async () => {
    expect((await failure({})).message).toBe(
      'RealtimeModule options: jwt is required, for example { secret, algorithms: ["HS256"] }; or give a JwtVerifier of your ' +
        'own: providers: [{ provide: JwtVerifier, useClass: MyVerifier }]',
    );
  });

  it('options that are none', async () => {
    const imports = [RealtimeModule.forRootAsync({ useFactory: () => undefined as never })];
    await expect(listen({ imports })).rejects.toThrow(
      'RealtimeModule options: options must be an object like { jwt: { secret, algorithms: ["HS256"] } }; got undefined',
    );
  });

  it('options that a factory got wrong', async () => {
    const imports = [RealtimeModule.forRootAsync({ useFactory: () => ({ path: 'ws' }) })];
    await expect(listen({ imports })).rejects.toThrow('path must be a path like "/ws"');
  });
});

describe('An error about options', () => {
  it('is a RealtimeConfigurationError', async () => {
    expect(await failure({ jwt, path: 7 })).toBeInstanceOf(RealtimeConfigurationError);
  });

  it('names all that is wrong at once', async () => {
    const { message } = await failure({
      path: 'ws',
      jwt: { algorithms: ['HS256'] },
      limits: { mailboxSize: 0, maxFragments: 'many' },
      unknown: true,
    });
    const names = ['path', 'jwt.secret', 'limits.mailboxSize', 'limits.maxFragments', 'unknown'];
    expect(names.filter((name) => !message.includes(`${name} `))).toEqual([]);
  });

  it.each([
    ['a secret in the place of jwt', { jwt: SECRET }],
    ['a secret in a list in the place of jwt', { jwt: [SECRET] }],
    ['a secret outside of jwt', { secret: SECRET, jwt }],
    ['a secret under a wrong name', { jwt: { ...jwt, key: SECRET } }],
    ['a secret as the public key', { jwt: { publicKey: SECRET, algorithms: ['RS256'] } }],
    ['a secret in the place of the algorithms', { jwt: { secret: 7, algorithms: SECRET } }],
    ['a secret among the algorithms', { jwt: { secret: SECRET, algorithms: [SECRET] } }],
    ['a secret in an object', { path: { secret: SECRET } }],
    ['a secret in a section', { token: SECRET }],
  ])('does not quote %s', async (_what, options) => {
    expect((await failure(options)).message).not.toContain(SECRET.slice(0, 8));
  });

  it('does not quote a private key', async () => {
    const { message } = await failure({ jwt: { secret: RSA_KEYS.privateKey, algorithms: ['HS256'] } });
    expect(message).not.toContain(RSA_KEYS.privateKey.slice(30, 60));
  });
});
