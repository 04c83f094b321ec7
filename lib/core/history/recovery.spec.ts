import { describe, expect, it } from 'vitest';
import { inEpoch, placeOf } from './recovery.js';

const at = (offset: number, epoch = 'e1') => ({ epoch, offset });

describe('inEpoch', () => {
  it.each([
    { what: 'who names no epoch was in the present one', asked: at(3, ''), expected: at(3, 'e2') },
    { what: 'who names one was in that', asked: at(3), expected: at(3) },
  ])('$what', ({ asked, expected }) => {
    expect(inEpoch(asked, 'e2')).toEqual(expected);
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
