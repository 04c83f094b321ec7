import { describe, expect, it } from 'vitest';
import { RareLines } from './rare-lines.js';

describe('similar lines', () => {
  it('are logged once, and again after the interval with the number of those left out', () => {
    const lines = new RareLines(1_000);
    expect([0, 1, 999, 1_000, 1_001, 2_000].map((now) => lines.add('a', now))).toEqual([
      0,
      undefined,
      undefined,
      2,
      undefined,
      1,
    ]);
  });

  it('are logged again after the clock has gone back', () => {
    const lines = new RareLines(1_000);
    expect([10_000, 10_001, 5_000, 5_001].map((now) => lines.add('a', now))).toEqual([0, undefined, 1, undefined]);
  });

  it('are counted for each kind', () => {
    const lines = new RareLines(1_000);
    expect([lines.add('a', 0), lines.add('b', 0), lines.add('a', 1)]).toEqual([0, 0, undefined]);
  });

  it('of more kinds than are told apart share one line', () => {
    const lines = new RareLines(1_000);
    const logged = Array.from({ length: 1_000 }, (_, n) => lines.add(`kind ${n}`, 0)).filter((each) => each === 0);
    expect(logged).toHaveLength(65);
  });
});
