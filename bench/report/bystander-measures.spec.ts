import { describe, expect, it } from 'vitest';
import { bystander, QUICK } from '../workloads.js';
import { aRun } from './a-run.js';
import { BYSTANDER } from './bystander-measures.js';

describe('what a bystander waits', () => {
  const read = (during: 'joins' | 'leaves', lost = 0) => {
    const more = { wallMs: 420, latenessMs: { p99: 20, max: 35 } };
    const run = aRun({ workload: 'bystander', deed: { kind: 'bystand', during }, cpuMicros: 3, lost, more });
    return BYSTANDER.flatMap((measure) => {
      const value = measure.of(run);
      return value === undefined ? [] : [[`${measure.title}, ${measure.unit}`, value]];
    });
  };

  it('is told beside how long it takes and what it costs', () => {
    expect(read('joins')).toEqual([
      ["all enter a topic, ms of a bystander's round trip, p50", 4],
      ["all enter a topic, ms of a bystander's round trip, p99", 8],
      ['all enter a topic, ms until it is over', 420],
      ['all enter a topic, µs of CPU for each delivery or change', 3],
      ['all enter a topic, ms that a timer of the server is late, at most', 35],
    ]);
  });

  it('is not told when something was lost', () => {
    expect(read('leaves', 1)).toEqual([]);
  });

  it('is told of everything that is done', () => {
    const [{ phases } = { phases: [] }] = bystander(QUICK);
    for (const deed of phases) {
      const run = aRun({ workload: 'bystander', deed, more: { latenessMs: { p99: 1, max: 1 } } });
      expect(BYSTANDER.filter((measure) => measure.of(run) !== undefined)).toHaveLength(5);
    }
  });
});
