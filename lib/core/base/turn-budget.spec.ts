import { describe, expect, it } from 'vitest';
import { TurnBudget } from './turn-budget.js';

describe('a slice of long work', () => {
  /** How many steps of this length fit. */
  function steps(stepMs: number, ms?: number): number {
    let now = 5;
    const budget = new TurnBudget(() => now);
    budget.begin(ms);
    let count = 0;
    do {
      now += stepMs;
      count += 1;
    } while (!budget.isSpent());
    return count;
  }

  it('is over after eight milliseconds', () => {
    expect(steps(0.125)).toBe(64);
  });

  it('is over after its own time', () => {
    expect(steps(0.125, 2)).toBe(16);
  });

  it('reads the clock once in 16 steps', () => {
    let reads = 0;
    const budget = new TurnBudget(() => (reads += 1) && 0);
    budget.begin();
    for (let n = 0; n < 160; n++) budget.isSpent();
    expect(reads).toBe(11);
  });

  it('begins anew', () => {
    let now = 0;
    const budget = new TurnBudget(() => now);
    budget.begin();
    now = 9;
    budget.begin();
    for (let n = 0; n < 64; n++) expect(budget.isSpent()).toBe(false);
  });
});
