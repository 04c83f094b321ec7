import { chosen, type BenchOptions } from './options.js';
import {
  BYSTANDER_ROWS,
  CLUSTER_ROWS,
  FEATURE_ROWS,
  OPERATING_ROWS,
  PACE_ROWS,
  ROWS,
  STREAM_ROWS,
  type Row,
} from './rows.js';
import type { Timing, Workload } from './workload.js';
import {
  bystander,
  cluster,
  clusterGrowth,
  comparison,
  features,
  growth,
  operating,
  pacing,
  streaming,
} from './workloads.js';

/** A group of measurements with its own tables and plot. */
export interface Suite {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly workloads: (timing: Timing) => readonly Workload[];
}

const COMPARISON: Suite = { name: 'comparison', rows: ROWS, workloads: comparison };
const FEATURES: Suite = { name: 'features', rows: FEATURE_ROWS, workloads: features };
const OPERATING: Suite = { name: 'operating', rows: OPERATING_ROWS, workloads: operating };
const BYSTANDER: Suite = { name: 'bystander', rows: BYSTANDER_ROWS, workloads: bystander };
const STREAMS: Suite = { name: 'streams', rows: STREAM_ROWS, workloads: streaming };
const PACE: Suite = { name: 'pace', rows: PACE_ROWS, workloads: pacing };
const GROWTH: Suite = { name: 'growth', rows: ROWS, workloads: growth };
const CLUSTER: Suite = { name: 'cluster', rows: CLUSTER_ROWS, workloads: cluster };
const CLUSTER_GROWTH: Suite = { name: 'cluster-growth', rows: CLUSTER_ROWS, workloads: clusterGrowth };

type SuiteOptions = Pick<
  BenchOptions,
  'isQuick' | 'isGrowth' | 'isCluster' | 'isFeatures' | 'isOperating' | 'isBystander' | 'isStreams' | 'isPace'
>;

/**
 * The requested suites, without rows and workloads that were not chosen; a quick run leaves out Redis.
 * @throws Error when something was chosen that none of them has
 */
export function suitesOf(options: SuiteOptions & Pick<BenchOptions, 'only' | 'workloads'>) {
  const suites = askedFor(options);
  const known = suites.flatMap(({ workloads }) => workloads({ warmUpMs: 0, durationMs: 0 }));
  const rows = new Set(
    chosen(
      suites.flatMap((suite) => suite.rows),
      options.only,
    ),
  );
  const names = new Set(chosen(known, options.workloads).map(({ name }) => name));
  const isLeftOut = ({ needsRedis }: Row) => needsRedis && options.isFeatures && options.isQuick && !options.only;
  return fitting(
    suites.map((suite) => ({
      ...suite,
      rows: suite.rows.filter((row) => rows.has(row) && !isLeftOut(row)),
      workloads: (timing) =>
        suite
          .workloads(timing)
          .filter(({ name, isLong }) => names.has(name) && !(isLong && options.isQuick && !options.workloads)),
    })),
  );
}

/** The suites that are measured, whole. */
function askedFor(options: SuiteOptions): readonly Suite[] {
  const [alone, over] = options.isGrowth ? [GROWTH, CLUSTER_GROWTH] : [COMPARISON, CLUSTER];
  if (options.isBystander) return [BYSTANDER];
  if (options.isStreams) return [STREAMS];
  if (options.isPace) return [PACE];
  if (options.isFeatures) return [FEATURES];
  if (options.isOperating) return [OPERATING];
  if (options.isCluster) return [over];
  return options.isQuick ? [alone] : [alone, over];
}

/** The same without what needs Redis. */
export function withoutRedis(suites: readonly Suite[]): readonly Suite[] {
  return fitting(suites.map((suite) => ({ ...suite, rows: suite.rows.filter(({ needsRedis }) => !needsRedis) })));
}

/** Those of which something is left. */
function fitting(suites: readonly Suite[]): readonly Suite[] {
  return suites.filter((suite) => suite.rows.length > 0 && suite.workloads({ warmUpMs: 0, durationMs: 0 }).length > 0);
}
