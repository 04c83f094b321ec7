import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeRenewal, type TokenInUse } from './renewal.js';

const at = (seconds: number) => new Date(seconds * 1_000);

describe('a token in place of the one in use', () => {
  it.each<[string, TokenInUse, TokenInUse, number, string]>([
    ['issued later', { issuedAt: at(100) }, { issuedAt: at(101) }, 5, 'newer'],
    ['issued in the same second', { issuedAt: at(100) }, { issuedAt: at(100) }, 5, 'newer'],
    ['issued a second before', { issuedAt: at(100) }, { issuedAt: at(99) }, 5, 'older'],
    ['that is the same', { fingerprint: 'a', issuedAt: at(1) }, { fingerprint: 'a', issuedAt: at(1) }, 5, 'same'],
    ['that is the same, after a change', { fingerprint: 'a', rightsChangedAt: 9e9 }, { fingerprint: 'a' }, 5, 'same'],
    [
      'that is another of the same second',
      { fingerprint: 'a', issuedAt: at(1) },
      { fingerprint: 'b', issuedAt: at(1) },
      5,
      'newer',
    ],
    ['without an iat', { issuedAt: at(100) }, {}, 5, 'newer'],
    ['with an iat, when that in use has none', {}, { issuedAt: at(1) }, 5, 'newer'],
    ['issued before a change', { issuedAt: at(100), rightsChangedAt: 200_000 }, { issuedAt: at(194) }, 5, 'older'],
    [
      'issued before a change, within the tolerance',
      { issuedAt: at(100), rightsChangedAt: 200_999 },
      { issuedAt: at(195) },
      5,
      'newer',
    ],
    [
      'issued in the second of a change',
      { issuedAt: at(100), rightsChangedAt: 200_999 },
      { issuedAt: at(200) },
      0,
      'newer',
    ],
    [
      'issued the second before a change',
      { issuedAt: at(100), rightsChangedAt: 200_000 },
      { issuedAt: at(199) },
      0,
      'older',
    ],
  ])('%s', (_what, inUse, next, toleranceS, verdict) => {
    expect(judgeRenewal(inUse, next, toleranceS)).toBe(verdict);
  });

  it('never goes back in time, in however many steps', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000)), (seconds) => {
        let inUse: TokenInUse = { issuedAt: at(500) };
        for (const second of seconds) {
          const next = { issuedAt: at(second) };
          if (judgeRenewal(inUse, next, 5) === 'newer') inUse = next;
          expect(inUse.issuedAt!.getTime()).toBeGreaterThanOrEqual(500_000);
        }
      }),
    );
  });
});
