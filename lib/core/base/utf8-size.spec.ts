import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryText } from '../../../test/helpers/arbitrary-text.js';
import { endsInHalfPair, utf8Cut, utf8Size } from './utf8-size.js';

describe('the size of a text', () => {
  it('is that of its UTF-8, also with half a surrogate pair, which UTF-8 replaces', () => {
    fc.assert(
      fc.property(arbitraryText, (text) => {
        expect(utf8Size(text)).toBe(Buffer.byteLength(text));
      }),
    );
  });
});

describe('a cut', () => {
  it('takes as much as fits, and never half of a pair', () => {
    const units = fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀', '\ud83d', '\ude00') });
    fc.assert(
      fc.property(units, fc.nat(20), fc.integer({ min: 4, max: 12 }), (text, at, maxBytes) => {
        const start = Math.min(at, text.length);
        const cut = utf8Cut(text, start, maxBytes);
        expect(utf8Size(text.slice(start, cut))).toBeLessThanOrEqual(maxBytes);
        if (cut === text.length) return;
        expect(cut).toBeGreaterThan(start);
        expect(utf8Size(text.slice(start, cut)) + utf8Size(text.slice(cut))).toBe(utf8Size(text.slice(start)));
        const next = String.fromCodePoint(text.codePointAt(cut)!);
        expect(utf8Size(text.slice(start, cut)) + utf8Size(next)).toBeGreaterThan(maxBytes);
      }),
    );
  });
});

it.each([
  ['a', false],
  ['', false],
  ['😀', false],
  ['a\ud83d', true],
  ['\ude00', false],
])('%j ends in the first half of a pair: %s', (text, expected) => {
  expect(endsInHalfPair(text)).toBe(expected);
});
