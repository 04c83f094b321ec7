import type { RecentKind } from '../base/recent-kinds.js';
import type { TailEntry } from '../message/topic-tails.js';
import type { NodeCounts, NodeInfo } from './node-info.js';
import type { CloseEvent, MessageRates, NodeSnapshot, RefusalEvent, Traffic } from './node-snapshot.js';
import { sumOfRates } from './node-traffic.js';

/** All nodes, as one of them sees them. Times are milliseconds since 1970. */
export interface Fleet {
  /** The node that was asked. */
  readonly nodeId: string;
  readonly at: number;
  /** Users and topics of several nodes count once; missing while they cannot be read. */
  readonly counts?: NodeCounts;
  readonly rates?: MessageRates;
  /** The oldest first. */
  readonly nodes: readonly FleetNode[];
  /** The busiest first. */
  readonly traffic: readonly Traffic[];
  /** The latest first. */
  readonly closes: readonly RecentKind<CloseEvent & OnNode>[];
  readonly refusals: readonly RecentKind<RefusalEvent & OnNode>[];
  /** Messages of the topic that is watched, the oldest first. */
  readonly tail?: readonly (TailEntry & OnNode)[];
}

/** Names the node that something happened on. */
export interface OnNode {
  readonly nodeId: string;
}

/** One node of a fleet. */
export interface FleetNode {
  readonly id: string;
  readonly startedAt: number;
  /** `detached`: it says that others cannot reach it; `silent`: it is listed, but has not answered. */
  readonly state: 'up' | 'degraded' | 'down' | 'detached' | 'silent';
  readonly reasons: readonly string[];
  readonly counts: NodeCounts;
  readonly rates?: MessageRates;
  readonly queueBytes?: number;
  readonly loopDelayMs?: number;
}

/** Most kinds of traffic that are listed. */
const MAX_TRAFFIC = 25;

/** Most entries of one kind, over all nodes. */
const MAX_EACH = 5;

/**
 * Puts together what the nodes have answered.
 * @param own the snapshot of the node that asked
 * @param answers the snapshots of the others
 * @param listed the nodes with a live lease: one that has not answered is shown with what it announced last
 */
export function fleetOf(
  own: NodeSnapshot,
  answers: readonly NodeSnapshot[],
  listed: readonly NodeInfo[],
  counts: NodeCounts | undefined,
): Fleet {
  const answered = new Map([...answers, own].map((snapshot) => [snapshot.nodeId, snapshot]));
  const snapshots = [...answered.values()];
  const silent = listed.filter(({ id }) => !answered.has(id));
  const nodes = [...snapshots.map(nodeOf), ...silent.map(silentOf)];
  const rates = sumOfRates(snapshots);
  const tails = snapshots.flatMap(({ nodeId, tail }) => tail?.map((entry) => ({ ...entry, nodeId })) ?? []);
  return {
    nodeId: own.nodeId,
    at: own.at,
    ...(counts && { counts }),
    ...(rates && { rates }),
    nodes: nodes.sort((a, b) => a.startedAt - b.startedAt || (a.id < b.id ? -1 : 1)),
    traffic: busiest(snapshots.flatMap(({ traffic }) => traffic)),
    closes: merged(snapshots, ({ closes }) => closes),
    refusals: merged(snapshots, ({ refusals }) => refusals),
    ...(own.tail && { tail: tails.sort((a, b) => a.at - b.at || a.n - b.n) }),
  };
}

function nodeOf({ nodeId, startedAt, health, counts, rates, queueBytes, loopDelayMs }: NodeSnapshot): FleetNode {
  const { status: state, reasons } = health;
  return { id: nodeId, startedAt, state, reasons, counts, ...(rates && { rates }), queueBytes, loopDelayMs };
}

function silentOf({ id, startedAt, isAttached, connections, users, topics, subscriptions }: NodeInfo): FleetNode {
  return {
    id,
    startedAt: startedAt.getTime(),
    state: isAttached ? 'silent' : 'detached',
    reasons: [],
    counts: { connections, users, topics, subscriptions },
  };
}

function busiest(all: readonly Traffic[]): readonly Traffic[] {
  const sums = new Map<string, Traffic>();
  for (const each of all) {
    const key = `${each.address} ${each.pattern}`;
    const sum = sums.get(key);
    const rates = sumOfRates([each, sum ?? {}]);
    const sent = each.sent + (sum?.sent ?? 0);
    const received = each.received + (sum?.received ?? 0);
    sums.set(key, { address: each.address, pattern: each.pattern, sent, received, ...(rates && { rates }) });
  }
  const rateOf = ({ rates }: Traffic) => (rates ? rates.sent + rates.received : 0);
  const totalOf = ({ sent, received }: Traffic) => sent + received;
  return [...sums.values()].sort((a, b) => rateOf(b) - rateOf(a) || totalOf(b) - totalOf(a)).slice(0, MAX_TRAFFIC);
}

function merged<T extends { readonly at: number }>(
  snapshots: readonly NodeSnapshot[],
  kindsOf: (snapshot: NodeSnapshot) => readonly RecentKind<T>[],
): readonly RecentKind<T & OnNode>[] {
  const kinds = new Map<string, RecentKind<T & OnNode>>();
  for (const snapshot of snapshots) {
    for (const { kind, count, last } of kindsOf(snapshot)) {
      const known = kinds.get(kind);
      const own = last.map((entry) => ({ ...entry, nodeId: snapshot.nodeId }));
      const all = [...own, ...(known?.last ?? [])].sort((a, b) => b.at - a.at).slice(0, MAX_EACH);
      kinds.set(kind, { kind, count: count + (known?.count ?? 0), last: all });
    }
  }
  return [...kinds.values()].sort((a, b) => (b.last[0]?.at ?? 0) - (a.last[0]?.at ?? 0));
}
