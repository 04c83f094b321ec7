import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.js';

describe('the latency histogram', () => {
  it('tells no percentile of nothing', () => {
    expect(new LatencyHistogram().percentile(0.5)).toBeUndefined();
  });

  it('tells every percentile within 1.6 %', () => {
    const values = fc.array(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (micros, part) => {
        const histogram = new LatencyHistogram();
        for (const value of micros) histogram.add(value);
        const exact = micros.sort((a, b) => a - b)[Math.ceil(micros.length * part) - 1]!;
        expect(Math.abs(histogram.percentile(part)! - exact)).toBeLessThanOrEqual(exact * 0.016);
      }),
    );
  });

  it('takes a clock that went backwards for no time, and hours for the most it can tell', () => {
    const histogram = new LatencyHistogram();
    histogram.add(-5);
    histogram.add(1e12);
    expect(histogram.percentile(0.5)).toBe(0);
    expect(histogram.percentile(1)).toBeGreaterThan(2e9);
  });

  it('forgets everything when it is cleared', () => {
    const histogram = new LatencyHistogram();
    histogram.add(7);
    histogram.clear();
    expect(histogram.count).toBe(0);
    expect(histogram.percentile(0.5)).toBeUndefined();
  });
});
