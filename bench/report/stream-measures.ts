import type { PhaseResult, StallResult } from '../generator/job.js';
import type { Run } from '../results.js';
import type { StreamDeed } from '../workload.js';
import { HANDLER_STREAMS, PUBLISHED_STREAMS, STALLED_READERS } from '../workloads.js';
import { median, phaseOf, type Measure } from './figures.js';

const MIB = 2 ** 20;

type Pick = (phase: PhaseResult) => number | undefined;

interface Streamed {
  readonly title: string;
  readonly workload: string;
  readonly deed: StreamDeed;
}

const HANDLERS: Streamed = {
  title: '50 readers, each with a stream of a handler',
  workload: 'handler-streams',
  deed: HANDLER_STREAMS,
};
const TOPICS: Streamed = {
  title: '1,000 readers of 20 published streams',
  workload: 'published-streams',
  deed: PUBLISHED_STREAMS,
};
const STALLED: Streamed = {
  title: '2 of 20 readers do not read',
  workload: 'stalled-readers',
  deed: STALLED_READERS,
};

/** What each item costs the server. */
export const STREAM_COSTS: readonly Measure[] = [HANDLERS, TOPICS].map((streamed) =>
  measure(streamed, 'µs of CPU for an item', ({ cpuMicrosPerDelivery }) => cpuMicrosPerDelivery),
);

const LATENCIES: readonly Measure[] = [HANDLERS, TOPICS, STALLED].flatMap((streamed) => [
  measure(streamed, 'ms until an item is there, p50', ({ latencyMicros: { p50 } }) => p50 / 1_000),
  measure(streamed, 'ms until an item is there, p99', ({ latencyMicros: { p99 } }) => p99 / 1_000),
]);

const MEMORY: readonly Measure[] = [
  measure(HANDLERS, 'KiB of heap for a stream', ({ bytesEach }) => bytesEach && bytesEach.heap / 1_024),
  ...[HANDLERS, TOPICS].flatMap((streamed) => [
    measure(streamed, 'MiB of heap of the process', ({ processBytes }) => processBytes && processBytes.heap / MIB),
    measure(streamed, 'MiB of RSS of the process', ({ processBytes }) => processBytes && processBytes.rss / MIB),
  ]),
];

const STALLS: readonly Measure[] = [
  stall('MiB of heap and buffers more than before, halfway', ({ heldHalfwayBytes }) => heldHalfwayBytes / MIB),
  stall('MiB of heap and buffers more than before, at the end', ({ heldBytes }) => heldBytes / MIB),
  stall('MiB of RSS more than before, halfway', ({ rssHalfwayBytes }) => rssHalfwayBytes / MIB),
  stall('MiB of RSS more than before, at the end', ({ rssBytes }) => rssBytes / MIB),
  stall('of them dropped by the server', ({ dropped }) => dropped),
  stall('of them complete once they read again', ({ complete }) => complete),
];

/** All of them, each with the name of its table. */
export const STREAM_TABLES: readonly (readonly [title: string, measures: readonly Measure[]])[] = [
  ['streams, server CPU', STREAM_COSTS],
  ['streams, latency', LATENCIES],
  ['streams, memory', MEMORY],
  ['streams to readers that stall', STALLS],
];

/** The workloads that are about streams. */
export const STREAM_WORKLOADS: ReadonlySet<string> = new Set(
  [HANDLERS, TOPICS, STALLED].map(({ workload }) => workload),
);

/** What an item may cost this package at most, as a multiple of what it costs a peer. */
const GOALS: readonly (readonly [peer: string, most: number])[] = [
  ['socket.io', 1],
  ['nest-socket.io', 1],
  ['nest-sse', 1.25],
];

/** A goal, and how far it is. */
export interface Goal {
  readonly title: string;
  readonly peer: string;
  /** What an item costs this package, as a multiple of what it costs the peer: the median over the repetitions that have both. */
  readonly ratio: number;
  readonly most: number;
}

/** The goals that a run says something about. */
export function goalsOf(runs: readonly Run[]): readonly Goal[] {
  return STREAM_COSTS.flatMap((cost) => {
    const taken = runs.filter(({ workload }) => workload.name === cost.workload);
    return GOALS.flatMap(([peer, most]) => {
      const ratios = taken.flatMap((run) => {
        const other = taken.find(({ row, repetition }) => row === peer && repetition === run.repetition);
        const [own, theirs] = [cost.of(run), other && cost.of(other)];
        return run.row === 'nestjs-realtime' && own !== undefined && theirs !== undefined ? [own / theirs] : [];
      });
      if (ratios.length === 0) return [];
      return [{ title: cost.title, peer, ratio: median(ratios.toSorted((a, b) => a - b)), most }];
    });
  });
}

function measure({ title, workload, deed }: Streamed, unit: string, pick: Pick): Measure {
  return {
    title,
    unit,
    workload,
    of: (run) => {
      const phase = phaseOf(run, deed);
      return phase && pick(phase);
    },
  };
}

function stall(unit: string, pick: (result: StallResult) => number): Measure {
  return measure(STALLED, unit, (phase) => phase.stall && pick(phase.stall));
}
