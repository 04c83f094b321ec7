import { describe, expect, it } from 'vitest';
import type { Publication } from './history.js';
import { pageOf, publicationsAfter, type PublicationRun } from './publication-run.js';

const publications = (from: number, to: number): Publication[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({ offset: from + index, text: 'four' }));
const offsets = (list: readonly Publication[] | undefined) => list?.map(({ offset }) => offset);
const run = (after: number, from: number, to: number): PublicationRun => ({
  epoch: 'e1',
  after,
  publications: publications(from, to),
});

describe('publicationsAfter', () => {
  it.each<[string, PublicationRun | undefined, number, number[] | undefined]>([
    ['begins where the run was read', run(3, 4, 6), 3, [4, 5, 6]],
    ['begins within the run', run(3, 4, 6), 5, [6]],
    ['does not know what is before the run', run(3, 4, 6), 2, undefined],
    ['does not know what is behind the run', run(3, 4, 6), 6, undefined],
    ['shows that the first ones are no longer kept', run(3, 6, 8), 3, [6, 7, 8]],
    ['shows that from within the gap, too', run(3, 6, 8), 4, [6, 7, 8]],
    ['is at the end of a gap', run(3, 6, 8), 5, [6, 7, 8]],
    ['shows that nothing is kept any more', run(3, 1, 0), 3, []],
    ['does not know what is behind nothing', run(3, 1, 0), 4, undefined],
    ['knows nothing without a run', undefined, 0, undefined],
  ])('%s', (_what, known, offset, expected) => {
    expect(offsets(publicationsAfter({ epoch: 'e1', offset }, known))).toEqual(expected);
  });

  it('knows nothing of another epoch', () => {
    expect(publicationsAfter({ epoch: 'e2', offset: 3 }, run(3, 4, 6))).toBeUndefined();
  });
});

describe('pageOf', () => {
  const limits = { pageSize: 3, pageBytes: 1_000, sizeOf: ({ text }: Publication) => text.length };

  it.each([
    ['its number', limits, 9, [1, 2, 3]],
    ['its size', { ...limits, pageBytes: 8 }, 9, [1, 2]],
    ['the last offset', limits, 2, [1, 2]],
  ])('ends a page by %s', (_what, settings, upTo, expected) => {
    expect(offsets(pageOf(publications(1, 5), upTo, settings))).toEqual(expected);
  });

  it('has one publication that is larger than a page', () => {
    expect(offsets(pageOf(publications(1, 5), 9, { ...limits, pageBytes: 1 }))).toEqual([1]);
  });
});
