import { describe, expect, it } from 'vitest';
import type { Run } from '../results.js';
import { nameOf } from '../workload.js';
import { aRun } from './a-run.js';
import { CLUSTER_GROWTH } from './cluster-measures.js';

/** A run on nodes that have spent this, and Redis last. */
function spent(...each: readonly number[]): Run {
  const run = aRun({ grows: 'nodes' });
  const [phase] = run.result.phases;
  const name = nameOf({ kind: 'pace', to: 'a topic of the last node', perSecond: 200 });
  const cpuMicrosPerAsked = each.reduce((total, one) => total + one, 0);
  return {
    ...run,
    result: { ...run.result, phases: [{ ...phase!, name, cpuMicrosPerAsked, cpuMicrosPerAskedOfEach: each }] },
  };
}

describe('who pays for a message', () => {
  const read = (...each: readonly number[]) => CLUSTER_GROWTH.map(({ of }) => of(spent(...each)));

  it('is told apart among many nodes: all, who delivers, who publishes, each other one, Redis', () => {
    expect(read(20, 1, 3, 100, 7)).toEqual([131, 100, 20, 2, 7]);
  });

  it('has no others among two nodes', () => {
    expect(read(20, 100, 7)).toEqual([127, 100, 20, undefined, 7]);
  });

  it('is one node where there is one', () => {
    expect(read(100, 7)).toEqual([107, 100, undefined, undefined, 7]);
  });
});
