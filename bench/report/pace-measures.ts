import type { PhaseResult } from '../generator/job.js';
import type { Run } from '../results.js';
import { LATEST, OURS } from '../rows.js';
import { FAST_MAP } from '../workloads.js';
import { median, phaseOf, type Measure } from './figures.js';

const MIB = 2 ** 20;

/** What an update to all readers costs, as a multiple of what it costs to send everything, at most. */
const MOST = 0.5;

/** What an update of a fast topic costs the server, and what its readers get. */
export const PACE_COSTS: readonly Measure[] = [
  measure('µs of CPU for an update', ({ cpuMicrosPerAsked }) => cpuMicrosPerAsked),
  measure('deliveries for an update', ({ deliveries, asked }) => deliveries / asked),
  measure('MiB of heap of the process', ({ processBytes }) => processBytes && processBytes.heap / MIB),
  measure('MiB of RSS of the process', ({ processBytes }) => processBytes && processBytes.rss / MIB),
];

/** How the cost of an update to readers that take a tenth compares with that of sending everything, and how it should. */
export interface PaceGoal {
  /** The median over the repetitions. */
  readonly ratio: number;
  readonly most: number;
}

/** @returns nothing when not both were measured */
export function paceGoalOf(runs: readonly Run[]): PaceGoal | undefined {
  const [cost] = PACE_COSTS;
  const taken = runs.filter(({ workload }) => workload.name === cost!.workload);
  const ratios = taken.flatMap((run) => {
    const all = taken.find(({ row, repetition }) => row === OURS.name && repetition === run.repetition);
    const [own, everything] = [cost!.of(run), all && cost!.of(all)];
    return run.row === LATEST && own !== undefined && everything !== undefined ? [own / everything] : [];
  });
  return ratios.length === 0 ? undefined : { ratio: median(ratios.toSorted((a, b) => a - b)), most: MOST };
}

function measure(unit: string, pick: (phase: PhaseResult) => number | undefined): Measure {
  return {
    title: '200 readers, 200 updates a second, 100 keys',
    unit,
    workload: 'fast-map',
    of: (run) => {
      const phase = phaseOf(run, FAST_MAP);
      return phase && pick(phase);
    },
  };
}
