import { measure } from '../measure.js';
import { COSTS } from '../report/measures.js';
import type { Run } from '../results.js';
import { OURS, type Row } from '../rows.js';
import { comparison, QUICK } from '../workloads.js';
import { comparisonTable } from './comparison-table.js';
import { BUILDS, compare, orderOf } from './pair-ratios.js';

/** The rows that have a feature, by the option that compares them. */
const VARIANTS: Readonly<Record<'inspector' | 'metrics', readonly Row[]>> = {
  inspector: [
    { ...OURS, name: 'with the inspector, nobody looks', program: 'servers/nestjs-realtime-inspector.ts' },
    { ...OURS, name: 'with the inspector, one looks', program: 'servers/nestjs-realtime-inspected.ts' },
  ],
  metrics: [{ ...OURS, name: 'with metrics, scraped every second', program: 'servers/nestjs-realtime-metrics.ts' }],
};

/**
 * Compares an application with a feature to one without, in pairs: many short ones tell more than a few long ones. The control is the
 * application without it, a second time. Prints a table for each row.
 * @returns whether no measure is dearer or undecided, and nothing was lost
 */
export async function compareVariants(feature: keyof typeof VARIANTS, pairs: number): Promise<boolean> {
  const variants = VARIANTS[feature];
  const rows = [{ ...OURS, name: BUILDS.base }, ...variants, { ...OURS, name: BUILDS.control }];
  const workloads = comparison(QUICK)
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
  const verdicts = variants.flatMap(({ name }) => {
    const tested = runs.map((run) => (run.row === name ? { ...run, row: BUILDS.tested } : run));
    const comparisons = COSTS.flatMap((each) => compare(tested, each) ?? []);
    console.log(`\n${comparisonTable(`${name}, as a multiple of without`, comparisons)}`);
    return comparisons.map(({ verdict }) => verdict);
  });
  const hasLost = runs.some(({ result }) => result.phases.some(({ lost }) => lost !== 0));
  if (hasLost) console.error('\nSome messages were lost.');
  return !hasLost && verdicts.every((verdict) => verdict === 'ok');
}
