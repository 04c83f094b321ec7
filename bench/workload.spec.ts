import { describe, expect, it } from 'vitest';
import { topicsOf, type Workload } from './workload.js';
import { cluster, clusterGrowth, comparison, growth, QUICK, streaming } from './workloads.js';

/** Those that have topics. Workloads of a million subscriptions take too long to be counted. */
const WORKLOADS = [
  ...comparison(QUICK),
  ...growth(QUICK),
  ...cluster(QUICK),
  ...clusterGrowth(QUICK),
  ...streaming(QUICK),
].filter(({ topics }) => topics > 0 && topics <= 10_000);

function subscriptions(workload: Workload): string[][] {
  return Array.from({ length: workload.connections }, (_, connection) => topicsOf(connection, workload));
}

describe.each(WORKLOADS)('in the workload $name', (workload) => {
  const lists = subscriptions(workload);

  it('every topic has the subscribers that its deliveries are counted by', () => {
    const sizes = new Map<string, number>();
    for (const topic of lists.flat()) sizes.set(topic, (sizes.get(topic) ?? 0) + 1);
    expect(sizes.size).toBe(workload.topics);
    expect(new Set(sizes.values())).toEqual(new Set([workload.subscribersPerTopic]));
  });

  it('no client subscribes to a topic twice, and all to as many as the others, or one less', () => {
    expect(lists.filter((topics) => new Set(topics).size !== topics.length)).toEqual([]);
    const counts = lists.map(({ length }) => length);
    expect(counts[0]! - counts.at(-1)!).toBeLessThanOrEqual(1);
  });
});
