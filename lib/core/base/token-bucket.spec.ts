import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.js';

/** Takes so many at one moment. @returns how many there were */
function takeAll(bucket: TokenBucket, now: number, atMost = 1_000): number {
  let taken = 0;
  while (taken < atMost && bucket.take(now) === 0) taken += 1;
  return taken;
}

describe('a token bucket', () => {
  it('is full at first', () => {
    expect(takeAll(new TokenBucket({ perSecond: 1, burst: 5 }, 0), 0)).toBe(5);
  });

  it('says how long it takes until there is a token', () => {
    const bucket = new TokenBucket({ perSecond: 4, burst: 1 }, 0);
    expect([0, 0, 100, 249, 250].map((now) => bucket.take(now))).toEqual([0, 250, 150, 1, 0]);
  });

  it('gives more tokens than it has if it has one, and is owed the others', () => {
    const bucket = new TokenBucket({ perSecond: 20, burst: 3 }, 0);
    expect([bucket.take(0, 11), bucket.take(0), bucket.fillMs]).toEqual([0, 450, 550]);
    expect([449, 450].map((now) => bucket.take(now))).toEqual([1, 0]);
  });

  it('is refilled as fast as it says', () => {
    const bucket = new TokenBucket({ perSecond: 20, burst: 100 }, 0);
    takeAll(bucket, 0);
    expect(takeAll(bucket, 1_000)).toBe(20);
  });

  it('never holds more than its burst', () => {
    const bucket = new TokenBucket({ perSecond: 20, burst: 100 }, 0);
    expect(takeAll(bucket, 86_400_000)).toBe(100);
  });

  it('does not lose what it was given in parts', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
    takeAll(bucket, 0);
    const early = Array.from({ length: 99 }, (_, n) => bucket.take(10 * (n + 1)));
    expect([early.every((waitMs) => waitMs > 0), bucket.take(1_000)]).toEqual([true, 0]);
  });

  it('is not emptied by a clock that goes back, and goes on from there', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 10_000);
    bucket.take(10_000);
    expect([bucket.take(0), bucket.take(0), bucket.take(1_000)]).toEqual([0, 1_000, 0]);
  });

  it('is filled, and no more, by a clock that jumps ahead', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 0);
    takeAll(bucket, 0);
    expect(takeAll(bucket, Number.MAX_SAFE_INTEGER)).toBe(2);
  });

  it.each([
    { perSecond: Infinity, burst: 1 },
    { perSecond: 1, burst: Infinity },
    { perSecond: Infinity, burst: Infinity },
  ])('without a limit is never empty: %o', (rate) => {
    expect(takeAll(new TokenBucket(rate, 0), 0)).toBe(1_000);
  });

  it('says whether there is a token without taking it', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 1 }, 0);
    expect([bucket.wait(0), bucket.wait(0), bucket.take(0), bucket.wait(0), bucket.wait(400)]).toEqual([
      0, 0, 0, 1_000, 600,
    ]);
  });

  it('takes one back, and never holds more than its burst', () => {
    const bucket = new TokenBucket({ perSecond: 1, burst: 2 }, 0);
    takeAll(bucket, 0);
    bucket.putBack();
    expect(takeAll(bucket, 0)).toBe(1);
    for (let n = 0; n < 5; n++) bucket.putBack();
    expect(takeAll(bucket, 0)).toBe(2);
  });

  it('without a limit stays so when one is given back', () => {
    const bucket = new TokenBucket({ perSecond: Infinity, burst: Infinity }, 0);
    bucket.take(0);
    bucket.putBack();
    expect(takeAll(bucket, 0)).toBe(1_000);
  });

  it('has a token for everybody who waits as long as they are told, and none a millisecond before', () => {
    const rates = fc.record({ perSecond: fc.integer({ min: 1, max: 500 }), burst: fc.integer({ min: 1, max: 20 }) });
    fc.assert(
      fc.property(rates, fc.array(fc.nat(2_000), { minLength: 1, maxLength: 40, size: 'max' }), (rate, pauses) => {
        const bucket = new TokenBucket(rate, 0);
        let now = 0;
        for (const pause of pauses) {
          now += pause;
          const waitMs = bucket.take(now);
          if (waitMs === 0) continue;
          if (waitMs > 1) expect(bucket.take(now + waitMs - 1)).toBe(1);
          now += waitMs;
          expect(bucket.take(now)).toBe(0);
        }
      }),
    );
  });

  it('never gives more than its burst and what has been refilled', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 200, size: 'max' }), (pauses) => {
        const bucket = new TokenBucket({ perSecond: 7, burst: 5 }, 0);
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (bucket.take(now) === 0) taken += 1;
        }
        expect(taken).toBeLessThanOrEqual(5 + (now * 7) / 1_000);
      }),
    );
  });
});
