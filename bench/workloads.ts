import type { Audience, Handler, PaceDeed, Phase, StreamDeed, Timing, Workload } from './workload.js';

export const THOROUGH: Timing = { warmUpMs: 700, durationMs: 2_000 };
export const QUICK: Timing = { warmUpMs: 600, durationMs: 1_000 };

/** The workloads by which servers are compared. */
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

/** The rows that have nothing but what every message needs, and what features add to it. */
const EVERYWHERE = [
  'nestjs-realtime',
  ...['history', 'presence', 'centrifuge', 'centrifuge-protobuf'].map((name) => `nestjs-realtime-${name}`),
];

/**
 * The workloads for the features of this package: publishing, entering, and the operations that only they have. The
 * latter is done in rounds, of which the one in the middle counts, so one process is enough for it.
 */
export function features(timing: Timing): readonly Workload[] {
  const shared = comparison(timing)
    .filter(({ phases }) => phases.every(({ kind }) => kind !== 'ask'))
    .map((workload) => ({ ...workload, rows: EVERYWHERE, isLong: workload.connections > 1_000 }));
  return [...shared, ...deploys(), ...storms(timing), streams()];
}

/** The workloads that show what it costs to look at a node: the same as for other servers. */
export function operating(timing: Timing): readonly Workload[] {
  return comparison(timing).map((workload) => ({ ...workload, isLong: workload.connections > 1_000 }));
}

/** 1,000 clients were away while 100 messages were published to the topic of each. What it costs when it was none says what messages cost. */
function deploys(): readonly Workload[] {
  return [1, 100].map((topics) => ({
    name: `deploy-${topics}`,
    rows: ['nestjs-realtime-history', 'nestjs-realtime-history-redis'],
    repetitions: 1,
    connections: 1_000,
    topics,
    subscribersPerTopic: 1_000 / topics,
    phases: [0, 100].map((missed) => ({ kind: 'recover', missed })),
  }));
}

/** 10,000 users come into one topic, and some of them come and go while there are so many, and fewer. */
function storms({ warmUpMs, durationMs }: Timing): readonly Workload[] {
  const inMemory = ['nestjs-realtime', 'nestjs-realtime-presence'];
  const among = (members: number): Phase => ({ kind: 'alternate', members, warmUpMs, durationMs: durationMs / 2 });
  return [
    { name: 'storm', watchers: 0, rows: [...inMemory, 'nestjs-realtime-presence-redis'] },
    { name: 'storm-watched', watchers: 10, rows: inMemory.slice(1) },
  ].map((workload) => ({
    ...workload,
    repetitions: 1,
    connections: 10_000 + workload.watchers,
    topics: 0,
    subscribersPerTopic: 0,
    phases: [
      { kind: 'storm', members: 10_000 },
      among(10_000),
      { kind: 'thin', members: 1_000 },
      among(1_000),
      { kind: 'thin', members: 100 },
      among(100),
    ],
  }));
}

/** How long others wait while something happens to 10,000 clients at once; to 3,000 when it has to be quick. */
export function bystander({ durationMs }: Timing): readonly Workload[] {
  const commotions = ['joins', 'leaves', 'broadcasts', 'judgements', 'a return'] as const;
  return [
    {
      name: 'bystander',
      connections: durationMs < THOROUGH.durationMs ? 3_001 : 10_001,
      topics: 0,
      subscribersPerTopic: 0,
      phases: commotions.map((during) => ({ kind: 'bystand', during })),
    },
  ];
}

/** Topics with occasional publications and no subscribers at the moment. */
function streams(): Workload {
  return {
    name: 'streams',
    rows: ['nestjs-realtime-history', 'nestjs-realtime-history-redis'],
    repetitions: 1,
    connections: 1,
    topics: 1,
    subscribersPerTopic: 1,
    phases: [{ kind: 'keep', streams: 10_000, publications: 10 }],
  };
}

/** Each of 50 readers has called a handler that streams. */
export const HANDLER_STREAMS: StreamDeed = { kind: 'stream', from: 'handlers', perSecond: 200 };

/** As fast as a quick language model, in each of 20 topics. */
export const PUBLISHED_STREAMS: StreamDeed = { kind: 'stream', from: 'topics', perSecond: 50 };

/** The items are large: on loopback the kernels keep some 5 MB for a reader that stalls before the server has to. */
export const STALLED_READERS: StreamDeed = {
  kind: 'stream',
  from: 'handlers',
  perSecond: 100,
  itemBytes: 32_768,
  stallsEvery: 10,
};

/** The workloads for streams. A handler has nothing to do with how published streams are joined. */
export function streaming({ warmUpMs, durationMs }: Timing): readonly Workload[] {
  // As with questions, it takes longer until all of it has been compiled for speed.
  const timing = { warmUpMs: 3 * warmUpMs, durationMs: 2 * durationMs };
  const readers = { connections: 50, topics: 0, subscribersPerTopic: 0 };
  const rows = ['nestjs-realtime', 'socket.io', 'nest-socket.io', 'nest-sse'];
  return [
    { name: 'handler-streams', rows, ...readers, phases: [{ ...HANDLER_STREAMS, ...timing }] },
    {
      name: 'published-streams',
      connections: 1_000,
      topics: 20,
      subscribersPerTopic: 50,
      phases: [{ ...PUBLISHED_STREAMS, ...timing }],
    },
    {
      name: 'stalled-readers',
      rows,
      repetitions: 1,
      ...readers,
      connections: 20,
      phases: [{ ...STALLED_READERS, warmUpMs, durationMs: 4 * durationMs }],
    },
  ];
}

/** 100 keys, each of which changes twice a second. */
export const FAST_MAP: PaceDeed = { kind: 'pace', to: 'one topic', perSecond: 200, isLossy: true };

/** A topic that changes faster than its readers want; whatever the timing, they take the latest values every five seconds. */
export function pacing(): readonly Workload[] {
  return [
    {
      name: 'fast-map',
      connections: 200,
      topics: 1,
      subscribersPerTopic: 200,
      phases: [{ ...FAST_MAP, warmUpMs: 5_000, durationMs: 10_000 }],
    },
  ];
}

/** The workloads that show how costs grow with connections and topics, with unchanged measures. */
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

/** The workloads for clusters: messages are published on one of two nodes, and the clients are on the other. */
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

/** Shows whether a node pays for deliveries of other nodes: each has its own 100 clients in its own 10 topics. */
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
