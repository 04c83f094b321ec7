import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEpoch } from './history.js';
import { isNextGeneration, POSITION_LIFE_MS, unpublishedEpoch } from './unpublished-epoch.js';

const terms = fc.stringMatching(/^[\w-]{1,40}$/);
const times = fc.nat(4_000_000_000_000);

describe('the epoch of a topic without a position', () => {
  it('is a legal name', () => {
    fc.assert(fc.property(terms, times, (term, now) => isEpoch(unpublishedEpoch(term, 'a', now))));
  });

  it('is the same at all times of a generation', () => {
    const [first, last, next] = [0, POSITION_LIFE_MS - 1, POSITION_LIFE_MS].map((now) =>
      unpublishedEpoch('t', 'a', now),
    );
    expect([last === first, next === first]).toEqual([true, false]);
  });

  it('is another one for each of many topics', () => {
    const epochs = Array.from({ length: 1_000 }, (_, n) => unpublishedEpoch('t', `order:${n}`, 0));
    expect(new Set(epochs).size).toBe(1_000);
  });

  it('does not return once a position that was made with it has expired', () => {
    fc.assert(
      fc.property(terms, times, fc.nat(POSITION_LIFE_MS * 3), (term, begun, more) => {
        const expired = begun + POSITION_LIFE_MS + more;
        return unpublishedEpoch(term, 'a', begun) !== unpublishedEpoch(term, 'a', expired);
      }),
    );
  });

  it('is followed by that of the next generation', () => {
    fc.assert(
      fc.property(terms, times, (term, now) => {
        return isNextGeneration(unpublishedEpoch(term, 'a', now), unpublishedEpoch(term, 'a', now + POSITION_LIFE_MS));
      }),
    );
  });

  it.each([
    ['t-0', 't-0'],
    ['t-1', 't-0'],
    ['t-0', 't-2'],
    ['t-0', 'u-1'],
    ['t', 't-1'],
    ['', ''],
    ['t-0', 't-01'],
  ])('%j is not followed by %j', (earlier, later) => {
    expect(isNextGeneration(earlier, later)).toBe(false);
  });
});
