import { describe, expect, it } from 'vitest';
import { describeProblems } from '../../core/base/problem.js';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { explainJwksOptions, jwksSettingsOf, type JwksOptions } from './jwks-options.js';

const valid: JwksOptions = {
  issuer: 'https://id.example',
  jwksUrl: 'https://id.example/jwks.json',
  algorithms: ['RS256'],
};
const given = (changes: object) => ({ ...valid, ...changes });

describe('explainJwksOptions', () => {
  it.each<[string, unknown]>([
    ['one provider', valid],
    ['several providers', [valid, given({ issuer: 'https://other.example' })]],
    ['several providers that publish their keys together', [valid, given({ issuer: 'tenant-2' })]],
    ['a URL object', given({ jwksUrl: new URL(valid.jwksUrl) })],
    ['http: on localhost', given({ jwksUrl: 'http://localhost:8080/jwks' })],
    ['http: on a name below localhost', given({ jwksUrl: 'http://id.localhost/jwks' })],
    ['http: on 127.0.0.1', given({ jwksUrl: 'http://127.0.0.1:8080/jwks' })],
    ['http: on [::1]', given({ jwksUrl: 'http://[::1]:8080/jwks' })],
    ['algorithms of several kinds', given({ algorithms: ['RS256', 'PS512', 'ES384', 'EdDSA', 'Ed25519'] })],
    ['audiences', given({ audience: ['shop', 'chat'] })],
    ['no cooldown', given({ cooldownMs: 0 })],
    ['options that are there but undefined', given({ audience: undefined, timeoutMs: undefined })],
  ])('finds no fault with %s', (_what, options) => {
    expect(explainJwksOptions(options)).toEqual([]);
  });

  it.each<[string, unknown, string]>([
    ['no options', undefined, 'options must be an object like { issuer, jwksUrl, algorithms: ["RS256"] }'],
    ['an empty list', [], 'options must name at least one provider'],
    ['an unknown option', given({ jwksUri: 'x' }), 'jwksUri is not an option; the options are: issuer, jwksUrl'],
    ['no issuer', given({ issuer: undefined }), 'issuer must be the iss of the tokens'],
    ['an empty issuer', given({ issuer: '' }), 'issuer must be'],
    ['several issuers', given({ issuer: ['a', 'b'] }), 'issuer must be'],
    ['no URL', given({ jwksUrl: undefined }), 'jwksUrl must be the address of the key set'],
    ['half a URL', given({ jwksUrl: 'id.example/jwks' }), 'jwksUrl must be the address'],
    ['http:', given({ jwksUrl: 'http://id.example/jwks' }), 'jwksUrl must begin with https:'],
    ['http: on a look-alike', given({ jwksUrl: 'http://localhost.example/jwks' }), 'jwksUrl must begin with https:'],
    ['http: on another', given({ jwksUrl: 'http://127.0.0.1.example/jwks' }), 'jwksUrl must begin with https:'],
    ['a file', given({ jwksUrl: 'file:///jwks.json' }), 'jwksUrl must begin with https:'],
    ['a key set in the URL', given({ jwksUrl: 'data:application/json,{}' }), 'jwksUrl must begin with https:'],
    [
      'a password',
      given({ jwksUrl: 'https://me:zqx@id.example/' }),
      'jwksUrl must not contain a user name or password',
    ],
    ['no algorithms', given({ algorithms: undefined }), 'algorithms must list the accepted signature algorithms'],
    ['an empty list of algorithms', given({ algorithms: [] }), 'algorithms must list'],
    ['a single name', given({ algorithms: 'RS256' }), 'algorithms must list'],
    ['none', given({ algorithms: ['RS256', 'none'] }), 'algorithms must not contain "none"'],
    ['HS256', given({ algorithms: ['RS256', 'HS256'] }), 'algorithms must not contain an algorithm for shared secrets'],
    ['another spelling', given({ algorithms: ['rs256'] }), 'algorithms has an unknown name; choose from RS256'],
    ['an empty audience', given({ audience: '' }), 'audience must be a non-empty string or list of them'],
    ['an empty list of audiences', given({ audience: [] }), 'audience must be'],
    [
      'a tolerance below zero',
      given({ clockToleranceS: -1 }),
      'clockToleranceS must be a number of seconds from 0 to 300',
    ],
    ['a tolerance of an hour', given({ clockToleranceS: 3_600 }), 'clockToleranceS must be'],
    ['a cooldown below zero', given({ cooldownMs: -1 }), 'cooldownMs must be a whole number of milliseconds from 0'],
    ['a cooldown as text', given({ cooldownMs: '30' }), 'cooldownMs must be'],
    ['keys for ever', given({ cacheMaxAgeMs: Infinity }), 'cacheMaxAgeMs must be'],
    ['keys for no time', given({ cacheMaxAgeMs: 0 }), 'cacheMaxAgeMs must be'],
    ['no time to answer', given({ timeoutMs: 0 }), 'timeoutMs must be'],
    ['half a millisecond', given({ timeoutMs: 0.5 }), 'timeoutMs must be'],
    ['a fault in a list', [valid, given({ issuer: 7 })], '[1].issuer must be'],
    ['an entry that is none', [valid, null], '[1].options must be an object'],
    ['an issuer twice', [valid, valid], '[1].issuer appears twice in the list'],
  ])('finds fault with %s', (_what, options, text) => {
    expect(describeProblems(explainJwksOptions(options))).toContain(text);
  });

  it('does not quote a URL', () => {
    const problems = explainJwksOptions(given({ jwksUrl: 'http://me:zqx@id.example/?key=zqx' }));
    expect(describeProblems(problems)).not.toContain('zqx');
  });
});

describe('jwksSettingsOf', () => {
  it('fills in the defaults that the documentation tells', () => {
    expect(jwksSettingsOf(given({ cooldownMs: undefined }))).toEqual([
      {
        issuer: valid.issuer,
        jwksUrl: new URL(valid.jwksUrl),
        algorithms: ['RS256'],
        audience: undefined,
        clockToleranceS: 5,
        cooldownMs: 30_000,
        cacheMaxAgeMs: 600_000,
        timeoutMs: 5_000,
      },
    ]);
  });

  it('does not boot with options that are wrong, and says which', () => {
    const options = { ...valid, algorithms: ['none'] } as unknown as JwksOptions;
    expect(() => jwksSettingsOf(options)).toThrow(RealtimeConfigurationError);
    expect(() => jwksSettingsOf(options)).toThrow('jwksVerifier: algorithms must not contain "none"');
  });
});
