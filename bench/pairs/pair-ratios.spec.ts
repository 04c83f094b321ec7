import { describe, expect, it } from 'vitest';
import { aRun } from '../report/a-run.js';
import { COSTS } from '../report/measures.js';
import { BUILDS, compare, orderOf, ratiosOf, verdictOf } from './pair-ratios.js';

const [FAN_OUT] = COSTS;

/** One pair with its control, from what each has cost. */
function pair(repetition: number, base: number, tested: number, control: number) {
  return [
    aRun({ row: BUILDS.base, repetition, cpuMicros: base }),
    aRun({ row: BUILDS.tested, repetition, cpuMicros: tested }),
    aRun({ row: BUILDS.control, repetition, cpuMicros: control }),
  ];
}

describe('a build that is compared with another', () => {
  it('is judged by the median of the pairs, so that what the machine does between pairs does not count', () => {
    const runs = [...pair(0, 10, 10.2, 10), ...pair(1, 20, 20.4, 20), ...pair(2, 10, 30, 10.1)];
    expect(compare(runs, FAN_OUT!)).toMatchObject({ pairs: 3, tested: { median: 1.02 }, control: { median: 1 } });
  });

  it('is compared in whole pairs only', () => {
    const runs = [...pair(0, 10, 11, 10), ...pair(1, 10, 11, 10).slice(1), ...pair(2, 10, 99, 10).slice(0, 2)];
    expect(compare(runs, FAN_OUT!)).toMatchObject({ pairs: 1, tested: { median: 1.1 }, verdict: 'dearer' });
  });

  it('has no figure where a phase has lost something', () => {
    const [base, , control] = pair(0, 10, 10, 10);
    const lossy = aRun({ row: BUILDS.tested, lost: 1 });
    expect(compare([base!, lossy, control!], FAN_OUT!)).toBeUndefined();
  });

  it.each([
    [1, 1, 'ok'],
    [0.8, 0.97, 'ok'],
    [1.05, 1.03, 'ok'],
    [1.051, 1, 'dearer'],
    [1.2, 1.04, 'undecided'],
    [0.9, 0.96, 'undecided'],
  ])('of %d beside a control of %d is %s', (tested, control, verdict) => {
    expect(verdictOf(tested, control)).toBe(verdict);
  });
});

describe('the spread of the ratios', () => {
  it('is that of the half in the middle', () => {
    expect(ratiosOf([5, 1, 2, 4, 3])).toEqual({ median: 3, quartiles: [2, 4] });
    expect(ratiosOf([1])).toEqual({ median: 1, quartiles: [1, 1] });
  });
});

describe('the order of the rows', () => {
  it('is another one in each of six repetitions', () => {
    const orders = Array.from({ length: 7 }, (_, repetition) => orderOf(['a', 'b', 'c'], repetition).join(''));
    expect(new Set(orders.slice(0, 6)).size).toBe(6);
    expect(orders[6]).toBe(orders[0]);
  });
});
