import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Publication } from './history.js';
import { inEpoch, isRun, placeOf, recover } from './recovery.js';

const at = (offset: number, epoch = 'e1') => ({ epoch, offset });
const publications = (from: number, to: number): Publication[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({ offset: from + index, text: `${from + index}` }));

describe('inEpoch', () => {
  it.each([
    { what: 'who names no epoch was in the present one', asked: at(3, ''), expected: at(3, 'e2') },
    { what: 'who names one was in that', asked: at(3), expected: at(3) },
  ])('$what', ({ asked, expected }) => {
    expect(inEpoch(asked, 'e2')).toEqual(expected);
  });
});

describe('recover', () => {
  it.each([
    { what: 'nothing was missed', asked: at(5), known: [], top: at(5), offsets: [] },
    { what: 'all of it is known', asked: at(2), known: publications(3, 5), top: at(5), offsets: [3, 4, 5] },
    { what: 'more is known than was missed', asked: at(3), known: publications(1, 5), top: at(5), offsets: [4, 5] },
    {
      what: 'more is known than has been delivered',
      asked: at(3),
      known: publications(1, 7),
      top: at(5),
      offsets: [4, 5],
    },
    { what: 'it had nothing yet', asked: at(0), known: publications(1, 2), top: at(2), offsets: [1, 2] },
  ])('gives what was missed when $what', ({ asked, known, top, offsets }) => {
    const recovery = recover(asked, known, top);
    expect(recovery.recovered && recovery.publications.map(({ offset }) => offset)).toEqual(offsets);
  });

  it.each([
    { what: 'the oldest is not kept any more', asked: at(1), known: publications(3, 5), top: at(5) },
    { what: 'none is kept any more', asked: at(1), known: [], top: at(5) },
    {
      what: 'there is a hole in the middle',
      asked: at(1),
      known: [...publications(2, 2), ...publications(4, 5)],
      top: at(5),
    },
    { what: 'the end is missing', asked: at(1), known: publications(2, 4), top: at(5) },
    { what: 'the epoch is another one', asked: at(3, 'e0'), known: publications(4, 5), top: at(5) },
    { what: 'it claims to be ahead of the stream', asked: at(9), known: publications(4, 5), top: at(5) },
    { what: 'it claims an absurd offset', asked: at(Number.MAX_SAFE_INTEGER), known: publications(4, 5), top: at(5) },
  ])('gives nothing at all when $what', ({ asked, known, top }) => {
    expect(recover(asked, known, top)).toEqual({ recovered: false });
  });

  it('gives all that was missed or nothing, whatever is known', () => {
    const offsets = fc.uniqueArray(fc.integer({ min: 1, max: 12 })).map((list) => list.sort((a, b) => a - b));
    fc.assert(
      fc.property(fc.nat(12), fc.nat(12), offsets, (asked, top, kept) => {
        const known = kept.map((offset) => ({ offset, text: '' }));
        const missed = publications(asked + 1, top).map(({ offset }) => offset);
        const canRecover = asked <= top && missed.every((offset) => kept.includes(offset));
        const recovery = recover(at(asked), known, at(top));
        expect(recovery.recovered).toBe(canRecover);
        if (recovery.recovered) expect(recovery.publications.map(({ offset }) => offset)).toEqual(missed);
      }),
    );
  });
});

describe('inEpoch', () => {
  it.each([
    ['an empty epoch, which is the present one', at(3, ''), at(3, 't-5')],
    ['the beginning in the generation before', at(0, 't-4'), at(0, 't-5')],
    ['a later place in the generation before', at(1, 't-4'), at(1, 't-4')],
    ['the beginning two generations before', at(0, 't-3'), at(0, 't-3')],
    ['the beginning in a later generation', at(0, 't-6'), at(0, 't-6')],
    ['the beginning in another term', at(0, 'u-4'), at(0, 'u-4')],
  ])('translates %s', (_what, position, expected) => {
    expect(inEpoch(position, 't-5')).toEqual(expected);
  });
});

describe('placeOf', () => {
  it('goes on from the beginning when the generation has changed meanwhile', () => {
    const places = [at(1, 't-5'), at(2, 't-5'), at(1, 't-6')].map((arrival) => placeOf(arrival, at(0, 't-4')));
    expect(places).toEqual(['next', 'beyond', 'beyond']);
  });

  it.each([
    [at(6), 'next'],
    [at(5), 'known'],
    [at(1), 'known'],
    [at(7), 'beyond'],
    [at(6, 'e2'), 'beyond'],
    [at(1, 'e2'), 'beyond'],
  ] as const)('says of %j behind 5: %s', (arrival, place) => {
    expect(placeOf(arrival, at(5))).toBe(place);
  });
});

describe('isRun', () => {
  it.each([
    [publications(3, 5), 2, 5, true],
    [[], 5, 5, true],
    [publications(3, 4), 2, 5, false],
    [publications(4, 5), 2, 5, false],
    [[...publications(3, 3), ...publications(3, 4)], 2, 5, false],
  ])('of %j from %d to %d: %s', (list, after, upTo, expected) => {
    expect(isRun(list, after, upTo)).toBe(expected);
  });
});
