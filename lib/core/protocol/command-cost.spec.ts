import { describe, expect, it } from 'vitest';
import { costOf, estimatedValues, withValues } from './command-cost.js';
import type { Decoded } from './decoded.js';

const PING: Decoded = { ok: true, command: { action: 'ping' } };

describe('the cost of a command', () => {
  it.each([
    [undefined, 1],
    [0, 1],
    [999, 1],
    [1_000, 2],
    [1_999, 2],
    [10_000, 11],
  ])('with %s values is %i', (values, cost) => {
    expect(costOf(values === undefined ? PING : { ...PING, values })).toBe(cost);
  });

  it('of text that cannot be read is that of as many short keys as fit', () => {
    expect(costOf({ values: estimatedValues('x'.repeat(65_536)) })).toBe(9);
  });
});

describe('the number of values', () => {
  it('is added only where it makes a difference', () => {
    expect(withValues(PING, 999)).toBe(PING);
    expect(withValues(PING, 1_000)).toEqual({ ...PING, values: 1_000 });
  });
});
