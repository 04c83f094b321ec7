import { measure } from '../measure.js';
import { COSTS } from '../report/measures.js';
import type { Run } from '../results.js';
import { OURS, type Row } from '../rows.js';
import { comparison, THOROUGH } from '../workloads.js';
import { comparisonTable } from './comparison-table.js';
import { BUILDS, compare, orderOf } from './pair-ratios.js';

const NOBODY: Row = { ...OURS, name: 'nobody looks', program: 'servers/nestjs-realtime-inspector.ts' };
const SOMEBODY: Row = { ...OURS, name: 'one looks', program: 'servers/nestjs-realtime-inspected.ts' };

/**
 * Compares an application with the inspector to one without, in pairs: while nobody looks, and while one page is open. The control is
 * the application without it, a second time. Prints a table for each.
 * @returns whether no measure is dearer or undecided, and nothing was lost
 */
export async function compareInspector(pairs: number): Promise<boolean> {
  const rows = [{ ...OURS, name: BUILDS.base }, NOBODY, SOMEBODY, { ...OURS, name: BUILDS.control }];
  const workloads = comparison(THOROUGH)
    .filter(({ connections }) => connections <= 1_000)
    .map((workload) => ({ ...workload, phases: workload.phases.filter(({ kind }) => kind !== 'pace') }));
  const runs: Run[] = [];
  for (let repetition = 0; repetition < pairs; repetition++) {
    for (const workload of workloads) {
      for (const row of orderOf(rows, repetition)) {
        runs.push({ row: row.name, workload, repetition, result: await measure(row, workload) });
      }
    }
    console.log(`${repetition + 1} of ${pairs} pairs`);
  }
  const verdicts = [NOBODY, SOMEBODY].flatMap(({ name }) => {
    const tested = runs.map((run) => (run.row === name ? { ...run, row: BUILDS.tested } : run));
    const comparisons = COSTS.flatMap((each) => compare(tested, each) ?? []);
    console.log(`\n${comparisonTable(`with the inspector, ${name}, as a multiple of without`, comparisons)}`);
    return comparisons.map(({ verdict }) => verdict);
  });
  const hasLost = runs.some(({ result }) => result.phases.some(({ lost }) => lost !== 0));
  if (hasLost) console.error('\nSome messages were lost.');
  return !hasLost && verdicts.every((verdict) => verdict === 'ok');
}
