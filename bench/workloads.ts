import type { Audience, Handler, Phase, Timing, Workload } from './workload.js';

export const THOROUGH: Timing = { warmUpMs: 700, durationMs: 2_000 };
export const QUICK: Timing = { warmUpMs: 600, durationMs: 1_000 };

/** What servers are compared by. */
export function comparison(timing: Timing): readonly Workload[] {
  return [
    {
      name: '1000',
      connections: 1_000,
      topics: 100,
      subscribersPerTopic: 10,
      phases: [
        publish('everybody', 1, timing),
        publish('everybody', 16, timing),
        { kind: 'pace', to: 'everybody', perSecond: 20, ...timing },
      ],
    },
    {
      name: '10000',
      connections: 10_000,
      topics: 1_000,
      subscribersPerTopic: 10,
      phases: [publish('everybody', 1, timing), publish('a random topic', 32, timing)],
    },
    {
      name: 'ask',
      connections: 100,
      topics: 10,
      subscribersPerTopic: 10,
      phases: [ask('plain', timing), ask('checked', timing)],
    },
  ];
}

/** What the features of this package are compared by: what is published, and what it takes to enter. */
export function features(timing: Timing): readonly Workload[] {
  return comparison(timing).filter(({ phases }) => phases.every(({ kind }) => kind !== 'ask'));
}

/** What shows how costs grow, with the connections and with the topics. What is measured stays the same. */
export function growth(timing: Timing): readonly Workload[] {
  return [
    ...[100, 1_000, 10_000, 50_000].map((connections): Workload => ({
      name: `connections-${connections}`,
      grows: 'connections',
      connections,
      topics: connections / 10,
      subscribersPerTopic: 10,
      phases: [publish('everybody', 1, timing), publish('one topic', 1, timing)],
    })),
    ...[10, 100, 1_000, 10_000, 100_000].map((topics): Workload => ({
      name: `topics-${topics}`,
      grows: 'topics',
      connections: 1_000,
      topics,
      subscribersPerTopic: 10,
      phases: [publish('a random topic', 1, timing)],
    })),
  ];
}

/** What nodes of a cluster are compared by: messages are published on one of two, and the clients are on the other. */
export function cluster(timing: Timing): readonly Workload[] {
  const { warmUpMs, durationMs } = timing;
  const toEverybody: readonly Phase[] = [
    ...[1, 8, 16].map((outstanding) => publish('everybody', outstanding, timing)),
    // There must be enough of them for a percentile.
    { kind: 'pace', to: 'everybody', perSecond: 10, warmUpMs, durationMs: 2 * durationMs },
  ];
  return [
    { name: 'nodes-100', nodes: 2, connections: 100, topics: 10, subscribersPerTopic: 10, phases: toEverybody },
    {
      name: 'nodes-1000',
      nodes: 2,
      connections: 1_000,
      topics: 1_000,
      subscribersPerTopic: 10,
      phases: [...toEverybody, publish('a random topic', 32, timing)],
    },
  ];
}

/** What shows whether a node pays for what others deliver: each has 100 clients of its own in 10 topics of its own. */
export function clusterGrowth(timing: Timing): readonly Workload[] {
  return [1, 2, 4, 8].map((nodes) => ({
    name: `grown-nodes-${nodes}`,
    grows: 'nodes',
    nodes,
    isSpread: true,
    connections: 100 * nodes,
    topics: 10 * nodes,
    subscribersPerTopic: 10,
    phases: [{ kind: 'pace', to: 'a topic of the last node', perSecond: 200, ...timing }],
  }));
}

function publish(to: Audience, outstanding: number, timing: Timing): Phase {
  return { kind: 'publish', to, outstanding, ...timing };
}

/** Handlers are more code than sends: it takes longer until all of it has been compiled for speed. */
function ask(handler: Handler, { warmUpMs, durationMs }: Timing): Phase {
  return { kind: 'ask', handler, warmUpMs: 3 * warmUpMs, durationMs };
}
