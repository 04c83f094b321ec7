import { setTimeout as delay } from 'node:timers/promises';
import { RedisServer } from '../../helpers/redis-server.js';
import { NodeProcesses } from '../../resuming/node-processes.js';
import { Trial, until } from '../../resuming/trial.js';
import type { Verdict } from '../../resuming/verdict.js';
import { Commuter, type Journeys } from '../load/commuter.js';
import type { FaultNode, ProcessEnd } from '../load/fault-node.js';
import type { Flaw } from '../load/node/flaws.js';

/** The deadline for all clients to be connected, in milliseconds. */
const PATIENCE_MS = 40_000;

/** The deadline for a node to count all clients, in milliseconds. */
const COUNTED_MS = 10_000;

/** The clients that follow a topic with a history meanwhile. Each counts as one of the admitted. */
export const FOLLOWERS = 60;

/** The nodes and clients of a crowded restart. */
export interface CrowdedRestartParts {
  readonly commuters: number;
  /** Of each node. */
  readonly acceptsPerSecond: number;
  /** Default 3. */
  readonly nodes?: number;
  /** How many of them are restarted. Default: all. */
  readonly restarts?: number;
  /** Default: none. */
  readonly flaws?: readonly Flaw[];
}

/** The observations while nodes were restarted, one after the other. */
export interface CrowdedRestart extends Journeys {
  /** The times of accepted upgrades of each node, from a moment with all clients connected until its end. */
  readonly letIn: readonly (readonly number[])[];
  readonly ends: readonly ProcessEnd[];
  /** How many connections there are in the end, as one of the nodes counts those of all. */
  readonly connections: number;
  /** Of those who follow the topic. */
  readonly verdict: Verdict;
  /** The time from the first signal until all clients were back after the last restart, in milliseconds. */
  readonly ms: number;
}

/** Starts nodes over a Redis, lets a crowd in, and has one node after the other make place for another, with SIGTERM. */
export async function crowdedRestart(parts: CrowdedRestartParts): Promise<CrowdedRestart> {
  const { commuters: count, acceptsPerSecond, nodes = 3, restarts = nodes, flaws = [] } = parts;
  const redis = await RedisServer.start();
  const limits = { acceptsPerSecond, maxUnauthenticated: Infinity, maxUnauthenticatedPerIp: Infinity };
  const spec = {
    redis: { url: redis.url },
    options: { drain: { timeoutMs: 2_000 }, limits: { ...limits, maxHistoryPage: 1_000 } },
    flaws,
    isDoorWatched: true,
  };
  const processes = await NodeProcesses.start(spec, nodes).catch(async (error: unknown) => {
    await redis.end();
    throw error;
  });
  const journeys: Journeys = { upgradesMs: [], absencesMs: [], rebuffs: [] };
  let crowd: readonly Commuter[] = [];
  let trial: Trial | undefined;
  try {
    // The history must hold the publications made while a client waits for admission.
    const habits = { publishers: 3, everyMs: 100, resumers: FOLLOWERS, restMs: 1_000 };
    trial = await Trial.begin(() => processes.nodes, habits);
    crowd = Array.from({ length: count }, (_, n) => new Commuter(`user-${n}`, () => processes.nodes, journeys, n));
    await everybodyIsIn(crowd, trial);

    const letIn: (readonly number[])[] = [];
    for (const node of processes.nodes) await node.ask('letIn');
    for (const log of Object.values(journeys)) log.length = 0;
    const ends: ProcessEnd[] = [];
    const start = performance.now();
    for (const [index, node] of processes.nodes.slice(0, restarts).entries()) {
      await trial.goesOn(10);
      // It admits no client after the signal.
      letIn.push(await node.ask('letIn'));
      ends.push(await processes.replace(index, 'SIGTERM'));
      await everybodyIsIn(crowd, trial);
    }
    const ms = performance.now() - start;
    letIn.push(...(await Promise.all(processes.nodes.map((node) => node.ask('letIn')))));
    const connections = await settledCount(processes.nodes[0]!, count + FOLLOWERS);
    return { ...journeys, letIn, ends, connections, ms, verdict: await trial.verdict() };
  } finally {
    await Promise.all([trial?.stop(), ...crowd.map((commuter) => commuter.stop())]);
    await processes.kill();
    await redis.end();
  }
}

/** The largest number by which those of any stretch of time are more than so many per second: what a limit must allow as a burst. */
export function burstOf(moments: readonly number[], perSecond: number): number {
  let highest = 0;
  let level = 0;
  let last = moments[0] ?? 0;
  for (const moment of moments) {
    level = Math.max(0, level - ((moment - last) * perSecond) / 1_000) + 1;
    highest = Math.max(highest, level);
    last = moment;
  }
  return highest;
}

/** The value that this fraction of all values, 0 to 1, does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

async function everybodyIsIn(crowd: readonly Commuter[], trial: Trial): Promise<void> {
  const areIn = () => crowd.every(({ isIn }) => isIn);
  if (!(await until(areIn, PATIENCE_MS))) {
    const out = crowd.filter(({ isIn }) => !isIn).length;
    throw new Error(`${out} of ${crowd.length} were not let in within ${PATIENCE_MS} ms.`);
  }
  await trial.isWhole();
}

/** The number of connections that a node counts; it learns those of other nodes only periodically. */
async function settledCount(node: FaultNode, expected: number): Promise<number> {
  const deadline = performance.now() + COUNTED_MS;
  for (;;) {
    const { connections } = await node.ask('counts');
    if (connections === expected || performance.now() > deadline) return connections;
    await delay(50);
  }
}
