import { describe, expect, it } from 'vitest';
import type { Run } from '../results.js';
import { HANDLER_STREAMS, QUICK, STALLED_READERS, streaming } from '../workloads.js';
import { aRun } from './a-run.js';
import { goalsOf, STREAM_TABLES } from './stream-measures.js';

const streamed = (row: string, cpuMicros: number, repetition = 0, lost = 0): Run =>
  aRun({ row, cpuMicros, repetition, lost, workload: 'handler-streams', deed: HANDLER_STREAMS });

describe('the goals of streams', () => {
  it('compare what was measured in the same repetition', () => {
    const ours = [12, 30, 11].map((cpuMicros, repetition) => streamed('nestjs-realtime', cpuMicros, repetition));
    const theirs = [10, 20, 10].map((cpuMicros, repetition) => streamed('nest-sse', cpuMicros, repetition));
    expect(goalsOf([...ours, ...theirs])).toEqual([
      { title: '50 readers, each with a stream of a handler', peer: 'nest-sse', ratio: 1.2, most: 1.25 },
    ]);
  });

  it('say nothing about a run in which items were lost', () => {
    expect(goalsOf([streamed('nestjs-realtime', 12), streamed('socket.io', 10, 0, 1)])).toEqual([]);
  });
});

describe('what streams cost', () => {
  it('is told of everything that is done', () => {
    const measures = STREAM_TABLES.flatMap(([, table]) => table);
    const stall = {
      readers: 2,
      heldHalfwayBytes: 1,
      heldBytes: 2,
      rssHalfwayBytes: 3,
      rssBytes: 4,
      dropped: 0,
      complete: 5,
    };
    const bytes = { heap: 1, rss: 2 };
    const found = streaming(QUICK).flatMap(({ name, phases }) =>
      phases.map((deed) => {
        const run = aRun({ workload: name, deed, more: { bytesEach: bytes, processBytes: bytes, stall } });
        return measures.filter((measure) => measure.workload === name && measure.of(run) !== undefined).length;
      }),
    );
    expect(found).toEqual([6, 5, 8]);
  });

  it('has what a server keeps for readers that stall', () => {
    const stall = {
      readers: 2,
      heldHalfwayBytes: 2 ** 20,
      heldBytes: 3 * 2 ** 20,
      rssHalfwayBytes: 0,
      rssBytes: 0,
      dropped: 1,
      complete: 4,
    };
    const run = aRun({ workload: 'stalled-readers', deed: STALLED_READERS, more: { stall } });
    const [, table] = STREAM_TABLES.at(-1)!;
    expect(table.map((measure) => measure.of(run))).toEqual([1, 3, 0, 0, 1, 4]);
  });
});
