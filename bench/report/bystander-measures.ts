import type { PhaseResult } from '../generator/job.js';
import type { Commotion } from '../workload.js';
import { phaseOf, type Measure } from './figures.js';

const COMMOTIONS: readonly (readonly [during: Commotion, title: string])[] = [
  ['broadcasts', 'messages to everybody'],
  ['joins', 'all enter a topic'],
  ['leaves', 'nine in ten leave it'],
  ['judgements', 'all are judged again'],
  ['a return', 'all come back after a deploy'],
];

/** How long one client waits for its answers while something happens to all others, and how long that takes. */
export const BYSTANDER: readonly Measure[] = COMMOTIONS.flatMap(([during, title]) => {
  const measure = (unit: string, pick: (phase: PhaseResult) => number | undefined): Measure => ({
    title,
    unit,
    workload: 'bystander',
    of: (run) => {
      const phase = phaseOf(run, { kind: 'bystand', during });
      return phase && pick(phase);
    },
  });
  return [
    measure("ms of a bystander's round trip, p50", ({ latencyMicros: { p50 } }) => p50 / 1_000),
    measure("ms of a bystander's round trip, p99", ({ latencyMicros: { p99 } }) => p99 / 1_000),
    measure('ms until it is over', ({ wallMs }) => wallMs),
    measure('µs of CPU for each delivery or change', ({ cpuMicrosPerDelivery }) => cpuMicrosPerDelivery),
    measure('ms that a timer of the server is late, at most', ({ latenessMs }) => latenessMs?.max),
  ];
});
