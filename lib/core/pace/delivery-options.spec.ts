import { describe, expect, it } from 'vitest';
import { explainDelivery, explainKey, explainVolatile, updateIntervalOf } from './delivery-options.js';

const HISTORY = { size: 1, ttlMs: 1_000, sendLast: 1 };

describe('the delivery of a topic', () => {
  it.each([
    [{}],
    [{ slow: 'close' }],
    [{ slow: 'drop' }],
    [{ slow: 'latest' }],
    [{ slow: 'latest', maxRateHz: 0.1, key: () => 'a' }],
    [{ slow: 'latest', maxRateHz: undefined, key: undefined }],
  ])('may be %j', (delivery) => {
    expect(explainDelivery(delivery, undefined)).toEqual([]);
  });

  it.each([
    ['latest', 'delivery'],
    [null, 'delivery'],
    [[], 'delivery'],
    [{ slow: 'newest' }, 'delivery.slow'],
    [{ slow: 'toString' }, 'delivery.slow'],
    [{ slow: 'drop', maxRateHz: 5 }, 'delivery.maxRateHz'],
    [{ key: () => 'a' }, 'delivery.key'],
    [{ slow: 'latest', rate: 5 }, 'delivery.rate'],
    [{ slow: 'latest', maxRateHz: 0 }, 'delivery.maxRateHz'],
    [{ slow: 'latest', maxRateHz: NaN }, 'delivery.maxRateHz'],
    [{ slow: 'latest', maxRateHz: 1_001 }, 'delivery.maxRateHz'],
    [{ slow: 'latest', maxRateHz: '5' }, 'delivery.maxRateHz'],
    [{ slow: 'latest', key: 'id' }, 'delivery.key'],
  ])('may not be %j', (delivery, at) => {
    expect(explainDelivery(delivery, undefined).map((problem) => problem.at)).toEqual([at]);
  });

  it('is told what an option goes with', () => {
    expect(explainDelivery({ slow: 'drop', maxRateHz: 5 }, undefined)[0]?.message).toBe(
      "works only with slow: 'latest'",
    );
  });

  it.each([
    [{ slow: 'close' }, { size: 10, ttlMs: 1_000 }],
    [{ slow: 'latest', maxRateHz: 5 }, HISTORY],
  ])('may be %j with the history %j', (delivery, history) => {
    expect(explainDelivery(delivery, history)).toEqual([]);
  });

  it.each([
    [{ slow: 'drop' }, HISTORY, 'delivery.slow'],
    [{ slow: 'latest' }, { size: 10, ttlMs: 1_000 }, 'delivery.slow'],
    [{ slow: 'latest' }, { ...HISTORY, sendLast: 2 }, 'delivery.slow'],
    [{ slow: 'latest' }, null, 'delivery.slow'],
    [{ slow: 'latest', key: () => 'a' }, HISTORY, 'delivery.key'],
  ])('may not be %j with the history %j', (delivery, history, at) => {
    expect(explainDelivery(delivery, history).map((problem) => problem.at)).toEqual([at]);
  });
});

describe('the interval of updates', () => {
  it.each([
    [undefined, undefined, 0],
    [20, undefined, 50],
    [undefined, 2, 500],
    [20, 2, 500],
    [20, 60, 50],
    [3, undefined, 334],
    [57, 58, 18],
    [57, 56, 20],
    [undefined, 1_000, 1],
    [undefined, 999, 2],
    [undefined, 60, 17],
    [undefined, 0.19, 10_000],
    [undefined, 0.1, 10_000],
  ])('of a topic with %j Hz for a client that asked for %j is %d ms', (maxRateHz, asked, ms) => {
    expect(updateIntervalOf(maxRateHz, asked)).toBe(ms);
  });
});

describe('the intervals that clients can ask for', () => {
  it('are few, and none is shorter than asked for', () => {
    const asked = Array.from({ length: 10_000 }, (_, n) => 1_000 / (n + 1));
    const intervals = asked.map((hz) => updateIntervalOf(undefined, hz));
    expect(new Set(intervals).size).toBe(30);
    expect(intervals.filter((ms, n) => ms < n + 1)).toEqual([]);
  });
});

describe('the key of a message', () => {
  it.each(['', 'vehicle:7', 'x'.repeat(255)])('may be %j', (key) => {
    expect(explainKey(key)).toEqual([]);
  });

  it.each([7, undefined, null, 'x'.repeat(256), Promise.resolve('a')])('may not be %s', (key) => {
    expect(explainKey(key)).toHaveLength(1);
  });
});

describe('volatile', () => {
  it.each([
    [undefined, true],
    [false, true],
    [true, false],
  ])('may be %j where a history is kept: %j', (value, keepsHistory) => {
    expect(explainVolatile(value, keepsHistory)).toEqual([]);
  });

  it.each([
    [true, true],
    ['yes', false],
    [1, false],
  ])('may not be %j where a history is kept: %j', (value, keepsHistory) => {
    expect(explainVolatile(value, keepsHistory).map(({ at }) => at)).toEqual(['volatile']);
  });
});
