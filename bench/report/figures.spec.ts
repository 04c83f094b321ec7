import { describe, expect, it } from 'vitest';
import { aRun } from './a-run.js';
import { figure, median, phaseOf, rowsOf } from './figures.js';

describe('the median', () => {
  it.each([
    [[3], 3],
    [[1, 2, 9], 2],
    [[1, 2, 4, 9], 3],
  ])('of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected);
  });
});

describe('a figure', () => {
  const runs = [9, 1, 5].map((repetition) => aRun({ row: 'a', workload: 'w', repetition }));
  const measure = { title: '', unit: '', workload: 'w', of: (run: { repetition: number }) => run.repetition };

  it('is the median over the repetitions, with the spread', () => {
    expect(figure(runs, 'a', measure)).toEqual({ median: 5, lowest: 1, highest: 9 });
  });

  it('leaves out repetitions that do not have it', () => {
    const of = (run: { repetition: number }) => (run.repetition === 9 ? undefined : run.repetition);
    expect(figure(runs, 'a', { ...measure, of })).toEqual({ median: 3, lowest: 1, highest: 5 });
  });

  it('is nothing for another server, or another workload', () => {
    expect(figure(runs, 'b', measure)).toBeUndefined();
    expect(figure(runs, 'a', { ...measure, workload: 'other' })).toBeUndefined();
  });
});

it('does not take a phase for measured in which something was lost', () => {
  const phase = { kind: 'publish', to: 'everybody', outstanding: 1 } as const;
  expect(phaseOf(aRun({ lost: 0 }), phase)?.cpuMicrosPerDelivery).toBe(8);
  expect(phaseOf(aRun({ lost: 1 }), phase)).toBeUndefined();
  expect(phaseOf(aRun({ lost: 0 }), { ...phase, outstanding: 2 })).toBeUndefined();
});

it('names the servers in the order in which they were measured', () => {
  expect(rowsOf([aRun({ row: 'b' }), aRun({ row: 'a' }), aRun({ row: 'b' })])).toEqual(['b', 'a']);
});
