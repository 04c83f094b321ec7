import type { PhaseResult } from '../generator/job.js';
import type { Run } from '../results.js';
import type { Audience, Deed } from '../workload.js';
import { phaseOf, type Measure } from './figures.js';
import type { GrowthMeasure } from './measures.js';

/** The costs of nodes and Redis together; less is better. */
export const CLUSTER_COSTS: readonly Measure[] = [
  ...[100, 1_000].flatMap((connections) => [
    perDelivery(`${connections.toLocaleString('en')} connections, one message at a time`, connections, 'everybody', 1),
    perDelivery(`${connections.toLocaleString('en')} connections, 8 messages outstanding`, connections, 'everybody', 8),
    perDelivery(
      `${connections.toLocaleString('en')} connections, 16 messages outstanding`,
      connections,
      'everybody',
      16,
    ),
  ]),
  perDelivery('1,000 topics × 10 subscribers, random topic', 1_000, 'a random topic', 32),
];

const PACED: Deed = { kind: 'pace', to: 'everybody', perSecond: 10 };

/** From the node that publishes to the clients of the other one, when both have time. */
export const CLUSTER_LATENCIES: readonly Measure[] = [100, 1_000].flatMap((connections) =>
  (['p50', 'p99'] as const).map((part) => ({
    title: `10 messages a second to ${connections.toLocaleString('en')} connections, ${part}`,
    unit: 'ms',
    workload: `nodes-${connections}`,
    of: (run: Run) => {
      const phase = phaseOf(run, PACED);
      return phase && phase.latencyMicros[part] / 1_000;
    },
  })),
);

/** Which node pays for a message. Processes stand in the order in which they were started, Redis last. */
export const CLUSTER_GROWTH: readonly GrowthMeasure[] = [
  perMessage('all nodes and Redis', ({ cpuMicrosPerAsked }) => cpuMicrosPerAsked),
  perMessage('the node that delivers', ({ cpuMicrosPerAskedOfEach }) => cpuMicrosPerAskedOfEach.at(-2)),
  perMessage('the node that publishes, when it is another', ({ cpuMicrosPerAskedOfEach: each }) =>
    each.length > 2 ? each[0] : undefined,
  ),
  perMessage('each other node', ({ cpuMicrosPerAskedOfEach }) => mean(cpuMicrosPerAskedOfEach.slice(1, -2))),
  perMessage('Redis', ({ cpuMicrosPerAskedOfEach }) => cpuMicrosPerAskedOfEach.at(-1)),
];

function perDelivery(title: string, connections: number, to: Audience, outstanding: number): Measure {
  return {
    title,
    unit: 'µs of CPU per delivery',
    workload: `nodes-${connections}`,
    of: (run) => phaseOf(run, { kind: 'publish', to, outstanding })?.cpuMicrosPerDelivery,
  };
}

function perMessage(title: string, pick: (phase: PhaseResult) => number | undefined): GrowthMeasure {
  return {
    title,
    unit: 'µs of CPU for a message to 10 clients of one node',
    grows: 'nodes',
    of: (run) => {
      const phase = phaseOf(run, { kind: 'pace', to: 'a topic of the last node', perSecond: 200 });
      return phase && pick(phase);
    },
  };
}

function mean(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((total, value) => total + value, 0) / values.length;
}
