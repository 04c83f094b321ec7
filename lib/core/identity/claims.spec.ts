import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { explainClaims, explainIdentity, identityFromClaims, isClaims, isExpired } from './claims.js';

const EXP = 1_800_000_000;
const at = (seconds: number) => new Date(seconds * 1000);

describe('explainClaims', () => {
  it('finds nothing wrong with a subject and an expiry', () => {
    expect(explainClaims({ sub: '42', exp: EXP })).toEqual([]);
  });

  it('leaves claims it does not know alone', () => {
    expect(explainClaims({ sub: '42', exp: EXP, iat: 0, nbf: 1.5, tenant: { id: 1 } })).toEqual([]);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['too long', 'x'.repeat(129)],
    ['a number', 42],
    ['an object', { toString: () => '42' }],
    ['a list', ['42']],
    ['half of a surrogate pair', 'ann\ud83d'],
  ])('refuses a subject that is %s', (_, sub) => {
    expect(explainClaims({ sub, exp: EXP }).map((problem) => problem.at)).toEqual(['sub']);
  });

  it.each(['x'.repeat(128), 'ann\u{1f600}'])('takes the subject %s', (sub) => {
    expect(explainClaims({ sub, exp: EXP })).toEqual([]);
  });

  it('insists on an expiry', () => {
    expect(explainClaims({ sub: '42' })).toEqual([{ at: 'exp', message: 'is required' }]);
  });

  it.each([['1800000000'], [null], [NaN], [Infinity], [1e300], [8_640_000_000_001], [[EXP]]])(
    'refuses %j as a date',
    (date) => {
      for (const name of ['exp', 'iat', 'nbf']) {
        expect(explainClaims({ sub: '42', exp: EXP, [name]: date }).map((problem) => problem.at)).toEqual([name]);
      }
    },
  );

  it('says everything that is wrong at once', () => {
    expect(explainClaims({ iat: 'x' }).map((problem) => problem.at)).toEqual(['sub', 'exp', 'iat']);
  });

  it.each([[undefined], [null], ['{}'], [[]], [42]])('refuses %j, which is no set of claims', (value) => {
    expect(explainClaims(value).map((problem) => problem.at)).toEqual(['claims']);
  });

  it('takes nothing from a `__proto__` that JSON brought along', () => {
    expect(isClaims(JSON.parse(`{"__proto__":{"sub":"42","exp":${EXP}}}`))).toBe(false);
  });

  it('never throws for any value', () => {
    fc.assert(fc.property(fc.anything(), (value) => void isClaims(value)));
  });
});

describe('isExpired', () => {
  it.each([
    ['a second before', EXP - 1, 0, false],
    ['at the very second', EXP, 0, true],
    ['a second before the tolerance is used up', EXP + 4, 5, false],
    ['when the tolerance is used up', EXP + 5, 5, true],
  ])('judges a token %s', (_, now, toleranceS, expired) => {
    expect(isExpired({ exp: EXP }, at(now), toleranceS)).toBe(expired);
  });

  it.each([[undefined], [NaN], ['1800000000'], [null]])('takes an exp of %j for expired', (exp) => {
    expect(isExpired({ exp: exp as never }, at(0), 5)).toBe(true);
  });

  it('never comes back to life', () => {
    const seconds = () => fc.integer({ min: 0, max: 4_000_000_000 });
    fc.assert(
      fc.property(seconds(), seconds(), seconds(), (exp, now, later) => {
        fc.pre(isExpired({ exp }, at(now)));
        expect(isExpired({ exp }, at(now + later))).toBe(true);
      }),
    );
  });
});

describe('identityFromClaims', () => {
  it('reads user, roles, permissions and email', () => {
    const claims = { sub: '42', exp: EXP, roles: ['a', 'b'], permissions: ['p'], email: 'a@b.c', other: 1 };
    expect(identityFromClaims(claims)).toEqual({
      userId: '42',
      roles: new Set(['a', 'b']),
      permissions: new Set(['p']),
      metadata: { email: 'a@b.c' },
    });
  });

  it('reads a single role', () => {
    expect(identityFromClaims({ sub: '42', role: 'admin' }).roles).toEqual(new Set(['admin']));
  });

  it('prefers the list of roles to the single one', () => {
    expect(identityFromClaims({ sub: '42', roles: [], role: 'admin' }).roles).toEqual(new Set());
  });

  it('leaves out entries that are no names', () => {
    const roles = ['a', 1, null, '', {}, 'x'.repeat(129), 'b'];
    expect(identityFromClaims({ sub: '42', roles }).roles).toEqual(new Set(['a', 'b']));
  });

  it('stops at 256 roles', () => {
    expect(
      identityFromClaims({ sub: '42', roles: Array.from({ length: 300 }, (_, i) => `role-${i}`) }).roles.size,
    ).toBe(256);
  });

  it('ignores an email that is no text', () => {
    expect(identityFromClaims({ sub: '42', email: {} }).metadata).toEqual({});
  });

  it('makes an identity of any valid claims', () => {
    const claims = fc.record({
      sub: fc.string({ minLength: 1, maxLength: 128 }),
      exp: fc.constant(EXP),
      roles: fc.anything(),
      role: fc.anything(),
      permissions: fc.anything(),
      email: fc.anything(),
    });
    fc.assert(
      fc.property(claims, (value) => {
        expect(explainIdentity(identityFromClaims(value))).toEqual([]);
      }),
    );
  });
});

describe('explainIdentity', () => {
  const identity = { userId: '42', roles: ['admin'], permissions: [], metadata: {} };

  it('finds nothing wrong with an identity', () => {
    expect(explainIdentity(identity)).toEqual([]);
    expect(explainIdentity({ ...identity, roles: new Set(['admin']), permissions: new Set() })).toEqual([]);
  });

  it.each([
    ['userId', ''],
    ['userId', 42],
    ['roles', 'admin'],
    ['roles', new Set(['admin', ''])],
    ['roles', new Map([['admin', true]])],
    ['roles', ['']],
    ['roles', [undefined]],
    ['roles', Array.from({ length: 257 }, String)],
    ['permissions', undefined],
    ['permissions', ['x'.repeat(129)]],
    ['metadata', null],
    ['metadata', []],
  ])('refuses %s: %j', (name, value) => {
    expect(explainIdentity({ ...identity, [name]: value }).map((problem) => problem.at)).toEqual([name]);
  });

  it('refuses metadata that could reach a prototype', () => {
    const metadata: unknown = JSON.parse('{"__proto__":{"admin":true},"ok":1}');
    expect(explainIdentity({ ...identity, metadata }).map((problem) => problem.at)).toEqual(['metadata.__proto__']);
  });

  it('names what the metadata would lose on its way to other nodes', () => {
    const metadata = { seen: [new Map()] };
    expect(explainIdentity({ ...identity, metadata }).map((problem) => problem.at)).toEqual(['metadata.seen[0]']);
  });

  it.each([[undefined], [null], ['42'], [false]])('refuses %j, which is no identity', (value) => {
    expect(explainIdentity(value).map((problem) => problem.at)).toEqual(['identity']);
  });
});
