import { describe, expect, it } from 'vitest';
import type { Run } from '../results.js';
import { FAST_MAP } from '../workloads.js';
import { aRun } from './a-run.js';
import { PACE_COSTS, paceGoalOf } from './pace-measures.js';

const paced = (row: string, cpuMicros: number, repetition = 0): Run =>
  aRun({ row, cpuMicros, repetition, workload: 'fast-map', deed: FAST_MAP });

describe('the goal of readers that take a tenth', () => {
  it('compares what was measured in the same repetition', () => {
    const all = [10, 20, 10].map((cpuMicros, repetition) => paced('nestjs-realtime', cpuMicros, repetition));
    const tenth = [3, 8, 1].map((cpuMicros, repetition) => paced('nestjs-realtime-latest', cpuMicros, repetition));
    expect(paceGoalOf([...all, ...tenth])).toEqual({ ratio: 0.3, most: 0.5 });
  });

  it('says nothing when only one of them was measured', () => {
    expect(paceGoalOf([paced('nestjs-realtime', 10), paced('socket.io-volatile', 10)])).toBeUndefined();
  });
});

it('what a fast topic costs is told with what its readers get, and with the memory', () => {
  const bytes = { heap: 2 ** 20, rss: 2 ** 21 };
  const run = aRun({ workload: 'fast-map', deed: FAST_MAP, cpuMicros: 2, more: { processBytes: bytes } });
  expect(PACE_COSTS.map((measure) => measure.of(run))).toEqual([2_000, 1_000, 1, 2]);
});
