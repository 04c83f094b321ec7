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

function publish(to: Audience, outstanding: number, timing: Timing): Phase {
  return { kind: 'publish', to, outstanding, ...timing };
}

/** Handlers are more code than sends: it takes longer until all of it has been compiled for speed. */
function ask(handler: Handler, { warmUpMs, durationMs }: Timing): Phase {
  return { kind: 'ask', handler, warmUpMs: 3 * warmUpMs, durationMs };
}
