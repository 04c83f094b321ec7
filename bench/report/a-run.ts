import type { PhaseResult } from '../generator/job.js';
import type { Run } from '../results.js';
import { nameOf, type Deed, type Workload } from '../workload.js';

/** The differences of one run in a spec from the default run. */
export interface RunTraits {
  readonly row?: string;
  readonly workload?: string;
  readonly repetition?: number;
  readonly lost?: number;
  readonly cpuMicros?: number;
  readonly grows?: Workload['grows'];
  readonly connections?: number;
  readonly deed?: Deed;
  /** The optional figures of a phase. */
  readonly more?: Partial<PhaseResult>;
}

/** A run for specs: by default one message at a time is published to all connections. */
export function aRun(traits: RunTraits = {}): Run {
  const { row = 'a', workload = '1000', repetition = 0, lost = 0, cpuMicros = 8, connections = 1_000 } = traits;
  const { grows, deed = { kind: 'publish', to: 'everybody', outstanding: 1 }, more } = traits;
  return {
    row,
    repetition,
    workload: { name: workload, connections, topics: 100, subscribersPerTopic: 10, ...(grows && { grows }) },
    result: {
      crowd: {
        connections,
        acceptCpuMicros: 100,
        acceptsPerSecond: 5_000,
        subscriptions: connections,
        subscribeCpuMicros: 50,
        baseRssBytes: 50_000_000,
        rssBytesPerConnection: 8_192,
        leaveCpuMicros: 40,
      },
      phases: [
        {
          name: nameOf(deed),
          asked: 10,
          deliveries: 10_000 - lost,
          lost,
          cpuMicrosPerDelivery: cpuMicros,
          cpuMicrosPerAsked: cpuMicros * 1_000,
          cpuMicrosPerAskedOfEach: [cpuMicros * 1_000],
          deliveriesPerSecond: 90_000,
          wallMs: 111,
          payloadBytes: 150,
          messagesPerRead: 1,
          generatorBusy: 0.4,
          latencyMicros: { p50: 4_000, p90: 7_000, p99: 8_000 },
          ...more,
        },
      ],
    },
  };
}
