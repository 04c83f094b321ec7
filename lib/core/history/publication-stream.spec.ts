import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryRange } from './history.js';
import { positionLifeMs, PublicationStream } from './publication-stream.js';

const HOUR_MS = 3_600_000;
const RETENTION = { size: 3, ttlMs: 1_000 };

/** Returns the content of a stream after a number of publications. */
function filled(count: number): PublicationStream {
  const stream = new PublicationStream('e');
  for (let n = 1; n <= count; n++) stream.append(`${n}`, RETENTION, 0);
  return stream;
}

const offsets = (stream: PublicationStream, range: HistoryRange, now = 0) =>
  stream.page(range, now).publications.map(({ offset }) => offset);

describe('a stream of publications', () => {
  it('is at 0 before the first one', () => {
    expect(new PublicationStream('e').top).toEqual({ epoch: 'e', offset: 0 });
  });

  it('counts from 1', () => {
    expect(new PublicationStream('e').append('a', RETENTION, 0)).toEqual({ epoch: 'e', offset: 1 });
  });

  it('keeps the last ones', () => {
    expect(filled(5).page({ limit: 10 }, 0)).toEqual({
      top: { epoch: 'e', offset: 5 },
      publications: [3, 4, 5].map((offset) => ({ offset, text: `${offset}` })),
    });
  });

  it('keeps fewer from the next one on when it is told to', () => {
    const stream = filled(3);
    stream.append('4', { size: 1, ttlMs: 1_000 }, 0);
    expect(offsets(stream, { limit: 10 })).toEqual([4]);
  });

  it('lets go of all of them when the time after the last one is over', () => {
    const stream = filled(2);
    stream.append('3', RETENTION, 900);
    expect([offsets(stream, { limit: 10 }, 1_899), offsets(stream, { limit: 10 }, 1_900)]).toEqual([[1, 2, 3], []]);
  });

  it('does not bring back what is over with the next one', () => {
    const stream = filled(2);
    stream.append('3', RETENTION, 1_000);
    expect(offsets(stream, { limit: 10 }, 1_000)).toEqual([3]);
  });

  it('knows its position a day longer', () => {
    expect([filled(1).keptUntil, positionLifeMs(HOUR_MS), positionLifeMs(24 * HOUR_MS)]).toEqual([
      24 * HOUR_MS,
      24 * HOUR_MS,
      240 * HOUR_MS,
    ]);
  });

  it.each<[HistoryRange, number[]]>([
    [{ limit: 2 }, [3, 4]],
    [{ limit: 0 }, []],
    [{ limit: 10, since: 0 }, [3, 4, 5]],
    [{ limit: 10, since: 3 }, [4, 5]],
    [{ limit: 1, since: 3 }, [4]],
    [{ limit: 10, since: 5 }, []],
    [{ limit: 10, since: Number.MAX_SAFE_INTEGER }, []],
    [{ limit: 2, reverse: true }, [5, 4]],
    [{ limit: 10, reverse: true, since: 5 }, [4, 3]],
    [{ limit: 1, reverse: true, since: 5 }, [4]],
    [{ limit: 10, reverse: true, since: 3 }, []],
    [{ limit: 10, reverse: true, since: 0 }, []],
    [{ limit: 10, reverse: true, since: 99 }, [5, 4, 3]],
    [{ limit: 0, reverse: true }, []],
  ])('pages %j of 3 to 5', (range, expected) => {
    expect(offsets(filled(5), range)).toEqual(expected);
  });

  it('agrees with a list of all that was published, whatever is published and asked for', () => {
    const ranges: fc.Arbitrary<HistoryRange> = fc.record(
      { limit: fc.nat({ max: 6 }), since: fc.nat({ max: 25 }), reverse: fc.boolean() },
      { requiredKeys: ['limit'] },
    );
    const step = fc.record({ waitMs: fc.nat({ max: 400 }), size: fc.integer({ min: 1, max: 5 }), range: ranges });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20, size: 'max' }), (steps) => {
        const stream = new PublicationStream('e');
        let [now, kept] = [0, [] as number[]];
        for (const [index, { waitMs, size, range }] of steps.entries()) {
          now += waitMs;
          if (waitMs >= 300) kept = [];
          kept = [...kept, index + 1].slice(-size);
          stream.append(`${index + 1}`, { size, ttlMs: 300 }, now);
          const { since, limit, reverse } = range;
          const wanted = kept.filter((n) => since === undefined || (reverse ? n < since : n > since));
          const expected = (reverse ? wanted.toReversed() : wanted).slice(0, limit);
          expect(stream.page(range, now)).toEqual({
            top: { epoch: 'e', offset: index + 1 },
            publications: expected.map((offset) => ({ offset, text: `${offset}` })),
          });
        }
      }),
    );
  });
});
