import { setTimeout as delay } from 'node:timers/promises';
import type { NodeSpec } from '../faults/load/node/node-control.js';
import { SeededRandom } from '../faults/load/seeded-random.js';
import { RedisServer } from '../helpers/redis-server.js';
import { NodeProcesses } from '../resuming/node-processes.js';
import { Trial } from '../resuming/trial.js';
import type { Verdict } from '../resuming/verdict.js';
import type { Violation } from '../resuming/violation.js';
import { ClusterNemesis } from './cluster-nemesis.js';

const TOPICS = ['log:1', 'log:2', 'log:3'];

/** How long what is behind may take when all is well again, in milliseconds. */
const HEALED_MS = 30_000;

/** The time for which nodes keep topics without subscribers, in milliseconds. */
const EMPTIED_MS = 10_000;

/** How long it goes on, and which course it takes. */
export interface ClusterSoakOptions {
  readonly seed: number;
  readonly durationMs: number;
  /** Replacements for parts of the nodes, for a twin that must fail. */
  readonly spec?: NodeSpec;
}

/** The actions of a run, and their results. */
export interface ClusterSoakReport extends Omit<Verdict, 'violations'> {
  readonly seed: number;
  /** How often which fault struck. */
  readonly faults: Readonly<Record<string, number>>;
  /** Nothing in here means that everything held. */
  readonly violations: Readonly<Partial<Record<Violation | 'leaked', readonly string[]>>>;
}

/**
 * Has some publish to topics that keep a history, and others subscribe to them, over three nodes and a Redis, under faults, and
 * compares what was acknowledged with what arrived. Ends by itself.
 */
export async function soakCluster({ seed, durationMs, spec = {} }: ClusterSoakOptions): Promise<ClusterSoakReport> {
  const redis = await RedisServer.start();
  const processes = await NodeProcesses.start({
    redis: { url: redis.url, leaseRefreshMs: 500, leaseTtlMs: 2_000, lingerMs: 200, requireAtBoot: false },
    options: {
      heartbeat: { intervalMs: 3_000, timeoutMs: 3_000 },
      drain: { timeoutMs: 2_000 },
      limits: { maxHistoryPage: 1_000, acceptsPerSecond: Infinity, maxUnauthenticatedPerIp: Infinity },
    },
    ...spec,
  });
  try {
    const random = (n: number) => new SeededRandom(seed * 1_000 + n);
    const trials = await Promise.all(
      TOPICS.map((topic, n) => {
        const course = random(n);
        const habits = { publishers: 2, resumers: 6, everyMs: 20, isStubborn: n > 0 };
        return Trial.begin(() => processes.nodes, { topic, ...habits, random: () => course.next() });
      }),
    );
    const nemesis = new ClusterNemesis(redis, processes, trials, random(999));
    await nemesis.strike(durationMs);
    const verdicts = await Promise.all(trials.map((trial) => trial.verdict(HEALED_MS)));
    const leaked = await leftIn(redis);
    const violations = { ...mergedOf(verdicts), ...(leaked.length > 0 && { leaked }) };
    return { seed, faults: nemesis.faults, ...sumOf(verdicts), violations };
  } finally {
    await processes.kill();
    await redis.end();
  }
}

/** The keys left in Redis after all clients have left, except for keys that expire. */
async function leftIn(redis: RedisServer): Promise<readonly string[]> {
  const linesOf = (text: string) => (text === '' ? [] : text.split('\n'));
  const deadline = performance.now() + EMPTIED_MS;
  for (;;) {
    const channels = linesOf(await redis.cli('PUBSUB', 'CHANNELS', 'realtime@0:topic:*'));
    const keys = linesOf(await redis.cli('KEYS', '*'));
    const lives = await Promise.all(keys.map(async (key) => [key, Number(await redis.cli('PTTL', key))] as const));
    const left = [...channels, ...lives.filter(([, life]) => life === -1).map(([key]) => key)];
    if (left.length === 0 || performance.now() > deadline) return left;
    await delay(250);
  }
}

function mergedOf(verdicts: readonly Verdict[]): Partial<Record<Violation, readonly string[]>> {
  const merged: Partial<Record<Violation, readonly string[]>> = {};
  for (const { violations } of verdicts) {
    for (const [kind, found] of Object.entries(violations) as [Violation, readonly string[]][]) {
      merged[kind] = [...(merged[kind] ?? []), ...found];
    }
  }
  return merged;
}

function sumOf(verdicts: readonly Verdict[]): Omit<Verdict, 'violations'> {
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0);
  return {
    published: sum(({ published }) => published),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    unknown: sum(({ unknown }) => unknown),
    refused: sum(({ refused }) => refused),
    delivered: sum(({ delivered }) => delivered),
    recovered: sum(({ recovered }) => recovered),
    notRecovered: sum(({ notRecovered }) => notRecovered),
  };
}
