import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readNodeSnapshot } from './node-snapshot-text.js';
import type { NodeSnapshot } from './node-snapshot.js';

const snapshot: NodeSnapshot = {
  nodeId: 'node-1',
  at: 1_000,
  startedAt: 10,
  counts: { connections: 3, users: 2, topics: 1, subscriptions: 4 },
  health: { status: 'degraded', reasons: ['Redis refuses writes.'] },
  rates: { sent: 10.5, received: 2 },
  queueBytes: 512,
  loopDelayMs: 1.25,
  traffic: [{ address: 'topic', pattern: 'chat:{id}', sent: 40, received: 8, rates: { sent: 10, received: 2 } }],
  closes: [
    {
      kind: '3008',
      count: 2,
      last: [{ at: 900, code: 3008, reason: 'slow', byServer: true, userId: 'ann', address: '::1' }],
    },
  ],
  refusals: [
    { kind: '401 UNAUTHENTICATED', count: 1, last: [{ at: 800, status: 401, reason: 'A token is required.' }] },
  ],
  tail: [{ n: 1, at: 950, type: 'said', bytes: 20, text: '{}' }],
};

const sent = (change: object) => JSON.parse(JSON.stringify({ ...snapshot, ...change })) as unknown;

it('reads what another node has sent', () => {
  expect(readNodeSnapshot(sent({}))).toEqual(snapshot);
});

it('ignores what a later version adds', () => {
  expect(readNodeSnapshot(sent({ cpu: 0.5 }))).toEqual(snapshot);
});

it('leaves out what an earlier version lacks', () => {
  const { rates: _rates, tail: _tail, ...rest } = snapshot;
  expect(readNodeSnapshot(sent({ rates: undefined, tail: undefined, closes: undefined }))).toEqual({
    ...rest,
    closes: [],
  });
});

it('skips entries that are malformed, and keeps their neighbours', () => {
  const closes = [null, 7, { kind: 1 }, { kind: '1000', count: 'many', last: [{ at: 'now' }, 3] }, ...snapshot.closes];
  expect(readNodeSnapshot(sent({ closes }))?.closes).toEqual([
    { kind: '1000', count: 0, last: [] },
    ...snapshot.closes,
  ]);
});

it.each([undefined, null, 'node-1', [], {}, { ...snapshot, nodeId: 'no id!' }, { ...snapshot, at: '1' }])(
  'takes %j for no snapshot',
  (data) => {
    expect(readNodeSnapshot(data)).toBeUndefined();
  },
);

it('takes any value without throwing', () => {
  const part = fc.anything();
  const data = fc.record({ nodeId: fc.constant('n'), at: fc.constant(1), startedAt: fc.constant(1), counts: part });
  const rest = fc.record({ health: part, rates: part, traffic: part, closes: part, refusals: part, tail: part });
  fc.assert(fc.property(data, rest, (a, b) => void readNodeSnapshot({ ...a, ...b })));
});
