import type { WorkloadResult } from './generator/job.js';
import type { Machine } from './stage/machine.js';
import type { Workload } from './workload.js';

/** The results of a run. */
export interface Results {
  readonly machine: Machine;
  /** Of what is compared, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Remarks on deviations, in prose. */
  readonly notes: readonly string[];
  readonly runs: readonly Run[];
}

/** One server, one workload, once. */
export interface Run {
  readonly row: string;
  readonly workload: Omit<Workload, 'phases'>;
  readonly repetition: number;
  readonly result: WorkloadResult;
}

/** Four digits are more than can be told apart. */
export function stringify(results: Results): string {
  const round = (_key: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
  return `${JSON.stringify(results, round, 2)}\n`;
}
