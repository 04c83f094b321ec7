import { describe, expect, it } from 'vitest';
import type { JwtClaims } from './claims.js';
import { isExpectedType, explainUnexpectedClaims, type ExpectedClaims } from './expected-claims.js';

const NOW_S = 1_800_000_000;
const issuer = 'https://id.example';
const expected: ExpectedClaims = { issuer, audience: ['shop', 'chat'], toleranceS: 5 };
const valid = { sub: 'ann', iss: issuer, aud: 'shop' };

function judge(claims: object, changes: Partial<ExpectedClaims> = {}) {
  return explainUnexpectedClaims(claims as JwtClaims, { ...expected, ...changes }, new Date(NOW_S * 1000));
}

describe('explainUnexpectedClaims', () => {
  it.each<[string, object, Partial<ExpectedClaims>?]>([
    ['the issuer and one of the audiences', valid],
    ['several audiences of which one is expected', { ...valid, aud: ['other', 'chat'] }],
    ['any audience when none is expected', { ...valid, aud: 'other' }, { audience: undefined }],
    ['no audience when none is expected', { ...valid, aud: undefined }, { audience: undefined }],
    ['nbf within the tolerance', { ...valid, nbf: NOW_S + 5 }],
    ['an exp that is over', { ...valid, exp: 1 }],
  ])('finds no fault with %s', (_what, claims, changes) => {
    expect(judge(claims, changes)).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['another issuer', { ...valid, iss: 'https://id.example.evil' }, 'IssuerMismatch'],
    ['no issuer', { ...valid, iss: undefined }, 'IssuerMismatch'],
    ['a list of issuers', { ...valid, iss: [issuer] }, 'IssuerMismatch'],
    ['an issuer that only begins alike', { ...valid, iss: `${issuer}/` }, 'IssuerMismatch'],
    ['another audience', { ...valid, aud: 'other' }, 'AudienceMismatch'],
    ['no audience', { ...valid, aud: undefined }, 'AudienceMismatch'],
    ['an empty list of audiences', { ...valid, aud: [] }, 'AudienceMismatch'],
    ['an audience that is an object', { ...valid, aud: { 0: 'shop' } }, 'AudienceMismatch'],
    ['nbf beyond the tolerance', { ...valid, nbf: NOW_S + 6 }, 'NotActiveYet'],
    ['nbf as text', { ...valid, nbf: '0' }, 'ClaimMalformed'],
    ['nbf as null', { ...valid, nbf: null }, 'ClaimMalformed'],
    ['an endless nbf', { ...valid, nbf: Infinity }, 'ClaimMalformed'],
    ['exp as text', { ...valid, exp: '1' }, 'ClaimMalformed'],
    ['iat as an object', { ...valid, iat: {} }, 'ClaimMalformed'],
  ])('refuses %s', (_what, claims, refusal) => {
    expect(judge(claims)).toBe(refusal);
  });
});

describe('the type of a token', () => {
  it.each<[unknown, string | readonly string[] | undefined, boolean]>([
    [undefined, undefined, true],
    ['anything', undefined, true],
    ['at+jwt', 'at+jwt', true],
    ['AT+JWT', 'at+jwt', true],
    ['application/at+jwt', 'at+jwt', true],
    ['at+jwt', 'application/at+jwt', true],
    ['at+jwt', ['JWT', 'at+jwt'], true],
    ['JWT', 'at+jwt', false],
    ['at+jwt ', 'at+jwt', false],
    ['application/x/at+jwt', 'x/at+jwt', false],
    [undefined, 'at+jwt', false],
    [['at+jwt'], 'at+jwt', false],
  ])('%j is taken where %j is expected: %s', (typ, accepted, isTaken) => {
    expect(isExpectedType({ typ }, accepted)).toBe(isTaken);
  });
});
