import type { PhaseResult } from '../generator/job.js';
import type { Run } from '../results.js';
import { nameOf, type Deed } from '../workload.js';

/** A figure that is computed from a run. */
export interface Measure {
  readonly title: string;
  readonly unit: string;
  /** The name of the workload that shows it. */
  readonly workload: string;
  /** @returns nothing when the run does not have it */
  readonly of: (run: Run) => number | undefined;
}

/** The results of a server over the repetitions. */
export interface Figure {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @returns nothing when it was not measured */
export function figure(runs: readonly Run[], row: string, measure: Measure): Figure | undefined {
  const values = runs
    .filter((run) => run.row === row && run.workload.name === measure.workload)
    .flatMap((run) => measure.of(run) ?? [])
    .sort((a, b) => a - b);
  return values.length === 0 ? undefined : { median: median(values), lowest: values[0]!, highest: values.at(-1)! };
}

/** @param sorted at least one number, in ascending order */
export function median(sorted: readonly number[]): number {
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** The rows of a run, in the order in which they were measured first. */
export function rowsOf(runs: readonly Run[]): readonly string[] {
  return [...new Set(runs.map(({ row }) => row))];
}

/** The runs of the workloads that show one of the measures. */
export function takingPart(runs: readonly Run[], measures: readonly Measure[]): readonly Run[] {
  const workloads = new Set(measures.map(({ workload }) => workload));
  return runs.filter(({ workload }) => workloads.has(workload.name));
}

/** The result of a deed. @returns nothing if the deed was not done or messages were lost in it */
export function phaseOf({ result }: Run, deed: Deed): PhaseResult | undefined {
  const found = result.phases.find(({ name }) => name === nameOf(deed));
  return found?.lost === 0 ? found : undefined;
}
