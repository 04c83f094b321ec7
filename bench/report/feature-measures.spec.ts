import { describe, expect, it } from 'vitest';
import { features, QUICK } from '../workloads.js';
import { nameOf, type Deed } from '../workload.js';
import { aRun, type RunTraits } from './a-run.js';
import { figure, type Measure } from './figures.js';
import { FEATURE_TABLES, HELD, PRESENCE, RECOVERY } from './feature-measures.js';

/** The values of the measures for one run, without the undefined ones. */
function read(measures: readonly Measure[], traits: RunTraits): Record<string, number> {
  const run = aRun(traits);
  const figures = measures.map((measure) => [
    `${measure.title}, ${measure.unit}`,
    figure([run], run.row, measure)?.median,
  ]);
  return Object.fromEntries(figures.filter(([, value]) => value !== undefined)) as Record<string, number>;
}

const DEPLOY: Deed = { kind: 'recover', missed: 100 };
const CRUSH = { wallMs: 420, latenessMs: { p99: 20, max: 35 } };

describe('what it costs that clients come back', () => {
  it('is told for each client and each message, with how long all of them take', () => {
    expect(read(RECOVERY, { workload: 'deploy-1', deed: DEPLOY, cpuMicros: 0.3, more: CRUSH })).toEqual({
      'one topic, 100 missed, µs of CPU for a client that comes back': 300,
      'one topic, 100 missed, µs of CPU for a message, all included': 3,
      'one topic, ms until the last has everything': 420,
      'one topic, ms until half of them have everything': 4,
      'one topic, ms that a timer of the server is late, p99': 20,
      'one topic, ms that a timer of the server is late, at most': 35,
    });
  });

  it('is told beside what it costs when nothing was missed', () => {
    const deed: Deed = { kind: 'recover', missed: 0 };
    expect(read(RECOVERY, { workload: 'deploy-100', deed, cpuMicros: 0.2 })).toEqual({
      '100 topics, nothing missed, µs of CPU for a client that comes back': 200,
    });
  });

  it('is not told when a message was missing', () => {
    expect(read(RECOVERY, { workload: 'deploy-1', deed: DEPLOY, lost: 1, more: CRUSH })).toEqual({});
  });
});

describe('what presence costs', () => {
  it('is told for a storm', () => {
    const deed: Deed = { kind: 'storm', members: 10_000 };
    expect(read(PRESENCE, { workload: 'storm-watched', deed, cpuMicros: 0.04, more: CRUSH })).toEqual({
      '10,000 come, 10 watchers, µs of CPU for each': 40,
      '10,000 come, 10 watchers, ms until all are in': 420,
      '10,000 come, 10 watchers, ms that a timer of the server is late, p99': 20,
      '10,000 come, 10 watchers, ms that a timer of the server is late, at most': 35,
    });
  });

  it.each([100, 1_000, 10_000])('is told for one change among %i members', (members) => {
    expect(read(PRESENCE, { workload: 'storm', deed: { kind: 'alternate', members }, cpuMicros: 0.02 })).toEqual({
      [`one of ${members.toLocaleString('en')} leaves, or comes back, µs of CPU`]: 20,
    });
  });
});

it('what is kept takes is told in KiB, for each', () => {
  const more = { bytesEach: { heap: 2_048, rss: 3_072 } };
  const deed: Deed = { kind: 'keep', streams: 10_000, publications: 10 };
  expect(read(HELD, { workload: 'streams', deed, more })).toEqual({
    'a topic with 10 publications, KiB of heap': 2,
    'a topic with 10 publications, KiB of RSS': 3,
  });
});

it('each measure of a feature reads something that is done', () => {
  for (const { workload, title, unit, of } of FEATURE_TABLES.flatMap(([, measures]) => measures)) {
    const { phases } = features(QUICK).find(({ name }) => name === workload)!;
    const bytesEach = { heap: 1, rss: 1 };
    const found = phases.filter((deed) => of(aRun({ workload, deed, more: { ...CRUSH, bytesEach } })) !== undefined);
    expect(found.map(nameOf), `${title}, ${unit}`).toHaveLength(1);
  }
});
