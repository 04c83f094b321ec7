import type { PhaseResult } from '../generator/job.js';
import type { Deed } from '../workload.js';
import { phaseOf, type Measure } from './figures.js';

const MISSED = 100;
const DEPLOY: Deed = { kind: 'recover', missed: MISSED };
const NOTHING_MISSED: Deed = { kind: 'recover', missed: 0 };
const STORM: Deed = { kind: 'storm', members: 10_000 };

/** 1,000 clients that come back for 100 messages each. */
export const RECOVERY: readonly Measure[] = [
  { topics: 'one topic', workload: 'deploy-1' },
  { topics: '100 topics', workload: 'deploy-100' },
].flatMap(({ topics, workload }) => [
  measure(`${topics}, nothing missed`, 'µs of CPU for a client that comes back', workload, NOTHING_MISSED, perAsked),
  measure(`${topics}, 100 missed`, 'µs of CPU for a client that comes back', workload, DEPLOY, perAsked),
  measure(`${topics}, 100 missed`, 'µs of CPU for a message, all included', workload, DEPLOY, perRecovered),
  measure(topics, 'ms until the last has everything', workload, DEPLOY, ({ wallMs }) => wallMs),
  measure(
    topics,
    'ms until half of them have everything',
    workload,
    DEPLOY,
    ({ latencyMicros: { p50 } }) => p50 / 1_000,
  ),
  ...lateness(topics, workload, DEPLOY),
]);

/** Users who come into one topic and leave it, and what the topic costs the larger it is. */
export const PRESENCE: readonly Measure[] = [
  { watched: '', workload: 'storm' },
  { watched: ', 10 watchers', workload: 'storm-watched' },
].flatMap(({ watched, workload }) => [
  measure(`10,000 come${watched}`, 'µs of CPU for each', workload, STORM, perAsked),
  measure(`10,000 come${watched}`, 'ms until all are in', workload, STORM, ({ wallMs }) => wallMs),
  ...lateness(`10,000 come${watched}`, workload, STORM),
  measure(`9,000 leave${watched}`, 'µs of CPU for each', workload, { kind: 'thin', members: 1_000 }, perAsked),
  ...[100, 1_000, 10_000].map((members) =>
    measure(
      `one of ${members.toLocaleString('en')} leaves, or comes back${watched}`,
      'µs of CPU',
      workload,
      { kind: 'alternate', members },
      perAsked,
    ),
  ),
]);

/** The memory that kept data takes. */
export const HELD: readonly Measure[] = [
  ...held('a member of a topic, its subscription included', 'storm', STORM),
  ...held('a topic with 10 publications', 'streams', { kind: 'keep', streams: 10_000, publications: 10 }),
];

/** All of them, each with the name of its table. */
export const FEATURE_TABLES: readonly (readonly [title: string, measures: readonly Measure[]])[] = [
  ['1,000 clients come back at once', RECOVERY],
  ['10,000 users in one topic', PRESENCE],
  ['memory', HELD],
];

function measure(
  title: string,
  unit: string,
  workload: string,
  deed: Deed,
  pick: (phase: PhaseResult) => number | undefined,
): Measure {
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

function lateness(title: string, workload: string, deed: Deed): readonly Measure[] {
  return [
    measure(title, 'ms that a timer of the server is late, p99', workload, deed, ({ latenessMs }) => latenessMs?.p99),
    measure(
      title,
      'ms that a timer of the server is late, at most',
      workload,
      deed,
      ({ latenessMs }) => latenessMs?.max,
    ),
  ];
}

function held(title: string, workload: string, deed: Deed): readonly Measure[] {
  return [
    measure(title, 'KiB of heap', workload, deed, ({ bytesEach }) => bytesEach && bytesEach.heap / 1_024),
    measure(title, 'KiB of RSS', workload, deed, ({ bytesEach }) => bytesEach && bytesEach.rss / 1_024),
  ];
}

function perAsked({ cpuMicrosPerAsked }: PhaseResult): number {
  return cpuMicrosPerAsked;
}

/** With all that it takes until a client is where it can be told what it has missed. */
function perRecovered({ cpuMicrosPerAsked }: PhaseResult): number {
  return cpuMicrosPerAsked / MISSED;
}
