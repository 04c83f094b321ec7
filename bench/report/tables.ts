import type { Results, Run } from '../results.js';
import { LATEST } from '../rows.js';
import { BYSTANDER } from './bystander-measures.js';
import { CLUSTER_COSTS, CLUSTER_GROWTH, CLUSTER_LATENCIES } from './cluster-measures.js';
import { FEATURE_TABLES } from './feature-measures.js';
import { figure, median, rowsOf, takingPart, type Figure, type Measure } from './figures.js';
import { markdownTable, shortNumber } from './markdown-table.js';
import { COSTS, GROWTH, LATENCIES, type GrowthMeasure } from './measures.js';
import { PACE_COSTS, paceGoalOf } from './pace-measures.js';
import { goalsOf, STREAM_TABLES } from './stream-measures.js';

/** All tables of a run, as Markdown. */
export function tablesOf({ runs, machine, versions, notes }: Results): string {
  const compared = runs.filter(({ workload }) => !workload.grows);
  const grown = runs.filter(({ workload }) => workload.grows);
  const repetitions = new Set(runs.map(({ repetition }) => repetition)).size;
  const { node, cpu, cores, isPinned } = machine;
  const costs = [...COSTS, ...CLUSTER_COSTS];
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${cpu}, ${cores} cores${isPinned ? ', servers and generator on one each' : ''}; Node.js ${node}; ${packages.join(', ')}. Medians of ${repetitions}.`,
    ...notes.map((note) => `Note: ${note}`),
    measureTable('server CPU, or memory', costs, compared, ({ median: middle }) => shortNumber(middle)),
    repetitions > 1 &&
      measureTable('lowest – highest', costs, compared, (seen) =>
        [seen.lowest, seen.highest].map(shortNumber).join(' – '),
      ),
    measureTable('latency', [...LATENCIES, ...CLUSTER_LATENCIES], compared, ({ median: middle }) =>
      shortNumber(middle),
    ),
    measureTable('one client, while something happens to all others', BYSTANDER, compared, ({ median: middle }) =>
      shortNumber(middle),
    ),
    ...FEATURE_TABLES.map(([title, measures]) =>
      measureTable(title, measures, compared, ({ median: middle }) => shortNumber(middle)),
    ),
    ...STREAM_TABLES.map(([title, measures]) =>
      measureTable(title, measures, compared, ({ median: middle }) => shortNumber(middle)),
    ),
    goalTable(compared),
    measureTable('a fast topic', PACE_COSTS, compared, ({ median: middle }) => shortNumber(middle)),
    paceGoalTable(compared),
    ...[...GROWTH, ...CLUSTER_GROWTH].map((measure) => growthTable(measure, grown)),
    trustTable(runs),
  ]
    .filter(Boolean)
    .join('\n\n');
}

/** Has a column for each row that took part. @returns nothing when nothing of it was measured */
function measureTable(
  title: string,
  measures: readonly Measure[],
  runs: readonly Run[],
  show: (figure: Figure) => string,
): string | undefined {
  const rows = rowsOf(takingPart(runs, measures));
  const taken = measures.filter((measure) => rows.some((row) => figure(runs, row, measure)));
  if (taken.length === 0) return undefined;
  const lines = taken.map((measure) => [
    `${measure.title}, ${measure.unit}`,
    ...rows.map((row) => {
      const seen = figure(runs, row, measure);
      return seen ? show(seen) : shortNumber(undefined);
    }),
  ]);
  return markdownTable([title, ...rows], lines);
}

/** How what streams cost compares with what others take in the same repetitions. @returns nothing when none was measured */
function goalTable(runs: readonly Run[]): string | undefined {
  const goals = goalsOf(runs);
  if (goals.length === 0) return undefined;
  const lines = goals.map(({ title, peer, ratio, most }) => [
    `${title}, beside ${peer}`,
    ratio.toFixed(2),
    `≤ ${most.toFixed(2)}`,
    ratio <= most ? 'yes' : 'no',
  ]);
  return markdownTable(['µs of CPU for an item, as a multiple', 'nestjs-realtime', 'goal', 'reached'], lines);
}

/** How readers that take a tenth compare with sending everything. @returns nothing when not both were measured */
function paceGoalTable(runs: readonly Run[]): string | undefined {
  const goal = paceGoalOf(runs);
  if (goal === undefined) return undefined;
  const { ratio, most } = goal;
  const line = ['readers that take a tenth', ratio.toFixed(2), `≤ ${most.toFixed(2)}`, ratio <= most ? 'yes' : 'no'];
  return markdownTable(['CPU for an update, as a multiple of sending everything', LATEST, 'goal', 'reached'], [line]);
}

/** Whether something was lost, and whether the generator was quick enough to say anything about the server. */
function trustTable(runs: readonly Run[]): string {
  const lines = rowsOf(runs).map((row) => {
    const phases = runs.filter((run) => run.row === row).flatMap(({ result }) => result.phases);
    const sum = (pick: (phase: (typeof phases)[number]) => number) =>
      phases.reduce((total, phase) => total + pick(phase), 0);
    const busy = phases.map(({ generatorBusy }) => generatorBusy).sort((a, b) => a - b);
    const deliveries = sum((phase) => phase.deliveries).toLocaleString('en');
    const lost = sum((phase) => phase.lost).toLocaleString('en');
    return [row, deliveries, lost, shortNumber(median(busy)), shortNumber(busy.at(-1))];
  });
  return markdownTable(['what was counted', 'deliveries', 'lost', 'generator busy, median', 'highest'], lines);
}

function growthTable({ title, unit, grows, of }: GrowthMeasure, all: readonly Run[]): string | undefined {
  const runs = all.filter(({ workload }) => workload.grows === grows);
  if (runs.length === 0) return undefined;
  const rows = rowsOf(runs);
  const steps = [...new Set(runs.map(({ workload }) => workload.name))];
  const lines = steps.map((workload) => {
    const size = runs.find((run) => run.workload.name === workload)!.workload[grows]!;
    const figures = rows.map((row) => figure(runs, row, { title, unit, workload, of })?.median);
    return [size.toLocaleString('en'), ...figures.map(shortNumber)];
  });
  return `**${title}, ${unit}**\n\n${markdownTable([grows, ...rows], lines)}`;
}
