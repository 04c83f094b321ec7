import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { measure } from '../measure.js';
import { BYSTANDER } from '../report/bystander-measures.js';
import { COSTS } from '../report/measures.js';
import type { Run } from '../results.js';
import { BYSTANDER_ROWS, OURS, type Row } from '../rows.js';
import type { Workload } from '../workload.js';
import { bystander, comparison, QUICK, THOROUGH } from '../workloads.js';
import { comparisonTable } from './comparison-table.js';
import { BUILDS, compare, orderOf } from './pair-ratios.js';

/**
 * Compares this build with that of another copy of the repository: pairs that are measured one right after the other, and
 * as a control the other build beside itself. Prints a table.
 * @param folder the other copy, with its `dist` and the modules that it needs
 * @returns whether no measure is dearer or undecided, and nothing was lost
 * @throws Error when the folder has no build
 */
export async function compareWith(
  folder: string,
  pairs: number,
  only: readonly string[] | undefined,
): Promise<boolean> {
  const other = otherBuild(folder);
  const rows = [
    { ...other, name: BUILDS.base },
    { ...OURS, name: BUILDS.tested },
    { ...other, name: BUILDS.control },
  ];
  const workloads = [...hotPaths(), ...(only ? bystander(THOROUGH) : [])].filter(
    ({ name }) => only?.includes(name) ?? true,
  );
  const runs: Run[] = [];
  for (let repetition = 0; repetition < pairs; repetition++) {
    for (const workload of workloads) {
      for (const row of orderOf(rows, repetition)) {
        runs.push({ row: row.name, workload, repetition, result: await measure(rowFor(workload, row), workload) });
      }
    }
    console.log(`${repetition + 1} of ${pairs} pairs`);
  }
  const measures = [...COSTS.filter(({ unit }) => unit.startsWith('µs')), ...BYSTANDER];
  const comparisons = measures.flatMap((each) => compare(runs, each) ?? []);
  console.log(`\n${comparisonTable('this build, as a multiple of the other', comparisons)}`);
  const hasLost = runs.some(({ result }) => result.phases.some(({ lost }) => lost !== 0));
  if (hasLost) console.error('\nSome messages were lost.');
  return !hasLost && comparisons.every(({ verdict }) => verdict === 'ok');
}

/**
 * The row of the build of another copy of the repository.
 * @throws Error when the folder has no build
 */
export function otherBuild(folder: string): Row {
  const repository = `${resolve(folder)}/`;
  if (!existsSync(join(repository, 'dist', 'index.js')))
    throw new Error(`There is no build in ${folder}: npm run build.`);
  return { ...OURS, repository, cwd: repository };
}

/** The bystander is where topics have all that they can have. */
function rowFor({ name }: Workload, row: Row): Row {
  return name === 'bystander' ? { ...row, program: BYSTANDER_ROWS[0]!.program } : row;
}

/** Fan-out, round trips and accepting, in short phases: many short pairs tell more than a few long ones. */
function hotPaths(): readonly Workload[] {
  return comparison(QUICK).map((workload) => ({
    ...workload,
    phases: workload.connections > 1_000 ? [] : workload.phases.filter(({ kind }) => kind !== 'pace'),
  }));
}
