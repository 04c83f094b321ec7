import { parseArgs } from 'node:util';

export const USAGE = `npm run bench -- [options]
  --quick             one repetition of short phases: under five minutes
  --reps <n>          repetitions; 3, with --quick and --growth 1
  --only <row,…>      only these servers
  --workloads <w,…>   only these workloads
  --growth            how costs grow with connections, topics and nodes, instead of the comparison
  --cluster           two nodes with Redis between them, alone; with --growth: how costs grow with nodes
  --features          what histories, presence and the Centrifuge protocol cost this package, alone
  --operating         what metrics and traces cost this package, alone
  --bystander         how long others wait while something happens to 10,000 clients, alone
  --streams           what streams cost to 50 and 1,000 readers, beside socket.io and server-sent events, alone
  --pace              what a fast topic costs whose 200 readers take a tenth, beside volatile messages of socket.io, alone
  --accepting         what a connection costs beside gateways that verify the same token, by turns, alone; with --against: and
                      beside another build
  --decoders          what decoding hostile frames costs, alone: under a minute
  --against <folder>  compare this build with that of another copy of the repository, in pairs, alone
  --inspector         what the inspector costs, in pairs: while nobody looks, and while one page is open, alone
  --metrics           what metrics cost that are scraped every second, in pairs, alone
  --pairs <n>         how many pairs, or rounds of --accepting; 15
  --out <file.json>   where the results go; the plot goes beside them
  --table <file.json> print the tables of an old run, and draw its plot again, instead of measuring
  --readme            put tables into bench/README.md
  --profile <folder>  have each server write a CPU profile`;

/** The options of a benchmark run. */
export interface BenchOptions {
  readonly isQuick: boolean;
  readonly isGrowth: boolean;
  readonly isCluster: boolean;
  readonly isFeatures: boolean;
  readonly isOperating: boolean;
  readonly isBystander: boolean;
  readonly isStreams: boolean;
  readonly isPace: boolean;
  readonly isAccepting: boolean;
  readonly isDecoders: boolean;
  readonly isInspector: boolean;
  readonly isMetrics: boolean;
  readonly isForReadme: boolean;
  readonly repetitions: number;
  readonly only: readonly string[] | undefined;
  readonly workloads: readonly string[] | undefined;
  /** The folder of another copy of the repository. */
  readonly against: string | undefined;
  readonly pairs: number;
  readonly out: string | undefined;
  readonly table: string | undefined;
  readonly profile: string | undefined;
}

/** @throws Error when an option is unknown, or is not what it should be */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: 'boolean', default: false },
      growth: { type: 'boolean', default: false },
      cluster: { type: 'boolean', default: false },
      features: { type: 'boolean', default: false },
      operating: { type: 'boolean', default: false },
      bystander: { type: 'boolean', default: false },
      streams: { type: 'boolean', default: false },
      pace: { type: 'boolean', default: false },
      accepting: { type: 'boolean', default: false },
      decoders: { type: 'boolean', default: false },
      inspector: { type: 'boolean', default: false },
      metrics: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
      reps: { type: 'string' },
      only: { type: 'string' },
      workloads: { type: 'string' },
      against: { type: 'string' },
      pairs: { type: 'string', default: '15' },
      out: { type: 'string' },
      table: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const repetitions = Number(values.reps ?? (values.quick || values.growth ? 1 : 3));
  if (!Number.isInteger(repetitions) || repetitions < 1)
    throw new Error(`--reps must be 1 or more, not ${values.reps}`);
  const pairs = Number(values.pairs);
  if (!Number.isInteger(pairs) || pairs < 1) throw new Error(`--pairs must be 1 or more, not ${values.pairs}`);
  return {
    isQuick: values.quick,
    isGrowth: values.growth,
    isCluster: values.cluster,
    isFeatures: values.features,
    isOperating: values.operating,
    isBystander: values.bystander,
    isStreams: values.streams,
    isPace: values.pace,
    isAccepting: values.accepting,
    isDecoders: values.decoders,
    isInspector: values.inspector,
    isMetrics: values.metrics,
    isForReadme: values.readme,
    repetitions,
    only: values.only?.split(','),
    workloads: values.workloads?.split(','),
    against: values.against,
    pairs,
    out: values.out,
    table: values.table,
    profile: values.profile,
  };
}

/** Those that were chosen by their names; all when nothing was. @throws Error when there is none of that name */
export function chosen<T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  for (const name of names ?? []) {
    if (all.some((one) => one.name === name)) continue;
    throw new Error(`There is no "${name}" among ${all.map((one) => one.name).join(', ')}.`);
  }
  return names ? all.filter(({ name }) => names.includes(name)) : all;
}
