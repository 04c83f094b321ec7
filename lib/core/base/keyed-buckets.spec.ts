import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeyedBuckets } from './keyed-buckets.js';
import { TokenBucket } from './token-bucket.js';

const RATE = { perSecond: 2, burst: 4 };
const FILL_MS = 2_000;

describe('a bucket for each key', () => {
  it('is its own', () => {
    const buckets = new KeyedBuckets(RATE, 10, 0);
    const waits = ['a', 'a', 'a', 'a', 'a', 'b'].map((key) => buckets.take(key, 0));
    expect(waits).toEqual([0, 0, 0, 0, 500, 0]);
  });

  it('takes one back', () => {
    const buckets = new KeyedBuckets(RATE, 10, 0);
    for (let n = 0; n < 4; n++) buckets.take('a', 0);
    buckets.putBack('a');
    expect([buckets.take('a', 0), buckets.take('a', 0)]).toEqual([0, 500]);
  });

  it('does not mind one that is given back after it was dropped', () => {
    const buckets = new KeyedBuckets(RATE, 10, 0);
    buckets.putBack('a');
    expect(buckets.size).toBe(0);
  });

  it('is dropped once it is full again, when others come', () => {
    const buckets = new KeyedBuckets(RATE, 10, 0);
    buckets.take('a', 0);
    for (const now of [FILL_MS, 2 * FILL_MS]) buckets.take('b', now);
    expect(buckets.size).toBe(1);
  });

  it('is none without a limit', () => {
    const buckets = new KeyedBuckets({ perSecond: Infinity, burst: Infinity }, 10, 0);
    expect([buckets.take('a', 0), buckets.size]).toEqual([0, 0]);
  });

  it('answers as if nothing was ever dropped, as long as there are no more than may be held', () => {
    const key = fc.constantFrom('a', 'b', 'c');
    const step = fc.record({ key, pauseMs: fc.nat(3_000), putBack: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const buckets = new KeyedBuckets(RATE, 3, 0);
        const model = new Map(['a', 'b', 'c'].map((each) => [each, new TokenBucket(RATE, 0)]));
        let now = 0;
        for (const { key: each, pauseMs, putBack } of steps) {
          now += pauseMs;
          const waitMs = buckets.take(each, now);
          expect(waitMs).toBe(model.get(each)!.take(now));
          if (waitMs > 0 || !putBack) continue;
          buckets.putBack(each);
          model.get(each)!.putBack();
        }
      }),
    );
  });

  it('never makes more than twice as many as may be held', () => {
    const buckets = new KeyedBuckets(RATE, 100, 0);
    for (let n = 0; n < 5_000; n++) {
      expect(buckets.take(String(n), 0)).toBe(0);
      expect(buckets.size).toBeLessThanOrEqual(200);
    }
  });
});
