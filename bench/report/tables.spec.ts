import { describe, expect, it } from 'vitest';
import type { Results, Run } from '../results.js';
import { aRun } from './a-run.js';
import { markdownTable, shortNumber } from './markdown-table.js';
import { tablesOf } from './tables.js';

const MACHINE = { node: 'v20', platform: 'p', cpu: 'Some CPU', cores: 2, memoryGiB: 8, isPinned: true, openFiles: 99 };

const results = (runs: readonly Run[], notes: readonly string[] = []): Results => ({
  machine: MACHINE,
  versions: { ws: '8.0.0' },
  notes,
  runs,
});

it('makes a table in which the columns stand below each other', () => {
  expect(markdownTable(['a', 'long'], [['first', '1']])).toBe(
    ['| a     | long |', '| ----- | ---: |', '| first |    1 |'].join('\n'),
  );
});

it.each([
  [undefined, '–'],
  [0.461, '0.46'],
  [11.04, '11.0'],
  [123_456.7, '123,457'],
])('writes %s as %s', (value, text) => {
  expect(shortNumber(value)).toBe(text);
});

describe('the tables', () => {
  const runs = [8, 10, 9].map((cpuMicros, repetition) => aRun({ row: 'ours', cpuMicros, repetition }));

  it('give medians with their spread, and a dash for those of whom there is none', () => {
    const text = tablesOf(results([...runs, aRun({ row: 'theirs', lost: 1 })]));
    expect(text).toMatch(/1,000 connections, one message at a time, µs of CPU per delivery +\| +9\.00 \| +– \|/);
    expect(text).toMatch(
      /1,000 connections, one message at a time, µs of CPU per delivery +\| +8\.00 – 10\.0 \| +– \|/,
    );
    expect(text).not.toContain('client → server → reply');
    expect(text).toContain('Medians of 3.');
  });

  it('do not show a figure of a run in which messages were lost, but how many', () => {
    const text = tablesOf(results([aRun({ row: 'ours', lost: 7 })]));
    expect(text).not.toContain('one message at a time');
    expect(text).toMatch(/\| ours +\| +9,993 \| +7 \|/);
  });

  it('have one line for each size where costs grow', () => {
    const grown = [100, 1_000].map((connections) =>
      aRun({ row: 'ours', workload: `c-${connections}`, grows: 'connections', connections, cpuMicros: 10 }),
    );
    const text = tablesOf(results(grown));
    expect(text).toMatch(/\| 100 +\| 100,000 \|\n\| 1,000 +\| 100,000 \|/);
    expect(text).not.toContain('latency');
  });

  it('have columns for those alone who took part', () => {
    const deed = { kind: 'recover', missed: 100 } as const;
    const text = tablesOf(results([...runs, aRun({ row: 'keeps', workload: 'deploy-1', deed })]));
    expect(text).toMatch(/^\| server CPU, or memory +\| ours \|$/m);
    expect(text).toMatch(/^\| 1,000 clients come back at once +\| keeps \|$/m);
  });

  it('say what was not as it should be', () => {
    expect(tablesOf(results(runs, ['half of it was left out']))).toContain('Note: half of it was left out');
  });
});
