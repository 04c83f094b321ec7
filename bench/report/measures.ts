import type { Audience, Deed, Handler } from '../workload.js';
import { phaseOf, type Measure } from './figures.js';

/** The figures by which servers are compared; less is better. */
export const COSTS: readonly Measure[] = [
  perDelivery('1,000 connections, one message at a time', '1000', 'everybody', 1),
  perDelivery('1,000 connections, 16 messages outstanding', '1000', 'everybody', 16),
  perDelivery('10,000 connections, one message at a time', '10000', 'everybody', 1),
  perDelivery('1,000 topics × 10 subscribers, random topic', '10000', 'a random topic', 32),
  perAnswer('client → server → reply', 'plain'),
  perAnswer('the same behind a guard and a ValidationPipe', 'checked'),
  {
    title: 'accepting a connection',
    unit: 'µs of CPU',
    workload: '10000',
    of: ({ result: { crowd } }) => crowd.acceptCpuMicros,
  },
  {
    title: 'accepting one of the second half',
    unit: 'µs of CPU',
    workload: '10000',
    of: ({ result: { crowd } }) => crowd.laterAcceptCpuMicros,
  },
  {
    title: 'subscribing it to a topic',
    unit: 'µs of CPU',
    workload: '10000',
    of: ({ result: { crowd } }) => crowd.subscribeCpuMicros,
  },
  {
    title: 'memory of an idle connection with a subscription',
    unit: 'KiB of RSS',
    workload: '10000',
    of: ({ result: { crowd } }) => crowd.rssBytesPerConnection / 1_024,
  },
];

const PACED = { kind: 'pace', to: 'everybody', perSecond: 20 } as const;

/** How late messages are when the server has time. */
export const LATENCIES: readonly Measure[] = (['p50', 'p90', 'p99'] as const).map((part) => ({
  title: `20 messages a second to 1,000 connections, ${part}`,
  unit: 'ms',
  workload: '1000',
  of: (run) => {
    const phase = phaseOf(run, PACED);
    return phase && phase.latencyMicros[part] / 1_000;
  },
}));

/** A figure of a workload that grows. */
export interface GrowthMeasure extends Omit<Measure, 'workload'> {
  readonly grows: 'connections' | 'topics' | 'nodes';
}

export const GROWTH: readonly GrowthMeasure[] = [
  {
    title: 'deliveries to everybody',
    unit: 'per CPU-second',
    grows: 'connections',
    of: (run) => perSecond(phaseOf(run, publishing('everybody', 1))?.cpuMicrosPerDelivery),
  },
  {
    title: 'a send to 10 recipients among so many connections',
    unit: 'µs of CPU',
    grows: 'connections',
    of: (run) => phaseOf(run, publishing('one topic', 1))?.cpuMicrosPerAsked,
  },
  {
    title: 'deliveries to the 10 subscribers of a random topic',
    unit: 'per CPU-second',
    grows: 'topics',
    of: (run) => perSecond(phaseOf(run, publishing('a random topic', 1))?.cpuMicrosPerDelivery),
  },
  {
    title: 'a subscription',
    unit: 'µs of CPU',
    grows: 'topics',
    of: ({ result: { crowd } }) => crowd.subscribeCpuMicros,
  },
  {
    title: 'the end of a connection, for each of its subscriptions',
    unit: 'µs of CPU',
    grows: 'topics',
    of: ({ result: { crowd } }) => (crowd.leaveCpuMicros * crowd.connections) / crowd.subscriptions,
  },
];

function perDelivery(title: string, workload: string, to: Audience, outstanding: number): Measure {
  return {
    title,
    unit: 'µs of CPU per delivery',
    workload,
    of: (run) => phaseOf(run, publishing(to, outstanding))?.cpuMicrosPerDelivery,
  };
}

function perAnswer(title: string, handler: Handler): Measure {
  return {
    title,
    unit: 'µs of CPU per round trip',
    workload: 'ask',
    of: (run) => phaseOf(run, { kind: 'ask', handler })?.cpuMicrosPerDelivery,
  };
}

function publishing(to: Audience, outstanding: number): Deed {
  return { kind: 'publish', to, outstanding };
}

function perSecond(micros: number | undefined): number | undefined {
  return micros === undefined ? undefined : 1_000_000 / micros;
}
