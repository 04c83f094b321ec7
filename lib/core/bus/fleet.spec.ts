import { expect, it } from 'vitest';
import { fleetOf } from './fleet.js';
import type { NodeInfo } from './node-info.js';
import type { NodeSnapshot } from './node-snapshot.js';

const COUNTS = { connections: 1, users: 1, topics: 1, subscriptions: 1 };

const snapshot = (nodeId: string, change: Partial<NodeSnapshot> = {}): NodeSnapshot => ({
  nodeId,
  at: 1_000,
  startedAt: 0,
  counts: COUNTS,
  health: { status: 'up', reasons: [] },
  queueBytes: 0,
  loopDelayMs: 0,
  traffic: [],
  closes: [],
  refusals: [],
  ...change,
});

const listed = (id: string, isAttached = true): NodeInfo => ({
  ...COUNTS,
  connections: 7,
  id,
  startedAt: new Date(50),
  isAttached,
});

const statesOf = ({ nodes }: ReturnType<typeof fleetOf>) => nodes.map(({ id, state }) => `${id} ${state}`);

it('shows a listed node that has not answered as silent, with what it announced last', () => {
  const fleet = fleetOf(snapshot('a'), [], [listed('a'), listed('b')], undefined);
  expect(statesOf(fleet)).toEqual(['a up', 'b silent']);
  expect(fleet.nodes[1]?.counts.connections).toBe(7);
});

it('shows a node that has said so as detached', () => {
  expect(statesOf(fleetOf(snapshot('a'), [], [listed('b', false)], undefined))).toEqual(['a up', 'b detached']);
});

it('shows a node that has answered before it was listed', () => {
  expect(statesOf(fleetOf(snapshot('a'), [snapshot('b')], [listed('a')], undefined))).toEqual(['a up', 'b up']);
});

it('shows each node once, and this one first hand', () => {
  const fleet = fleetOf(snapshot('a', { queueBytes: 5 }), [snapshot('a')], [listed('a')], undefined);
  expect(fleet.nodes.map(({ queueBytes }) => queueBytes)).toEqual([5]);
});

it('adds up the traffic of all nodes, and puts the busiest first', () => {
  const traffic = (pattern: string, sent: number, rate: number) => {
    return { address: 'topic', pattern, sent, received: 0, rates: { sent: rate, received: 0 } };
  };
  const a = snapshot('a', { traffic: [traffic('quiet', 900, 0), traffic('chat', 10, 1)] });
  const b = snapshot('b', { traffic: [traffic('news', 5, 1.5), traffic('chat', 20, 2)] });
  const fleet = fleetOf(a, [b], [], undefined);
  expect(fleet.traffic.map(({ pattern, sent, rates }) => [pattern, sent, rates?.sent])).toEqual([
    ['chat', 30, 3],
    ['news', 5, 1.5],
    ['quiet', 900, 0],
  ]);
});

it('merges the latest closes of one code, newest first, and names their nodes', () => {
  const close = (at: number) => ({ at, code: 3008, reason: 'slow', byServer: true });
  const a = snapshot('a', { closes: [{ kind: '3008', count: 4, last: [5, 3, 1].map(close) }] });
  const b = snapshot('b', { closes: [{ kind: '3008', count: 3, last: [6, 4, 2].map(close) }] });
  const [kind] = fleetOf(a, [b], [], undefined).closes;
  expect([kind?.count, kind?.last.map(({ at, nodeId }) => `${at}${nodeId}`)]).toEqual([
    7,
    ['6b', '5a', '4b', '3a', '2b'],
  ]);
});

it('puts the tails of all nodes in the order of time, and has none unless one was asked for', () => {
  const entry = (at: number) => ({ n: 1, at, type: 'said', bytes: 9 });
  const fleet = fleetOf(snapshot('a', { tail: [entry(2)] }), [snapshot('b', { tail: [entry(1)] })], [], undefined);
  expect(fleet.tail?.map(({ nodeId }) => nodeId)).toEqual(['b', 'a']);
  expect(fleetOf(snapshot('a'), [snapshot('b', { tail: [entry(1)] })], [], undefined)).not.toHaveProperty('tail');
});
