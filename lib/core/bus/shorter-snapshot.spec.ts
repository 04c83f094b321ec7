import { expect, it } from 'vitest';
import type { NodeSnapshot } from './node-snapshot.js';
import { shorterSnapshot } from './shorter-snapshot.js';

const SNAPSHOT: NodeSnapshot = {
  nodeId: 'n1',
  at: 2,
  startedAt: 1,
  counts: { connections: 1, users: 1, topics: 1, subscriptions: 1 },
  health: { status: 'degraded', reasons: ['slow'] },
  queueBytes: 0,
  loopDelayMs: 1,
  traffic: [{ address: 'topic', pattern: 'a:{id}', sent: 1, received: 1 }],
  closes: [{ kind: '1000', count: 1, last: [] }],
  refusals: [],
  tail: [{ n: 1, at: 1, type: 't', bytes: 9, text: '"hello"' }],
};

it('A snapshot gets shorter part by part, and says so', () => {
  const steps: NodeSnapshot[] = [];
  for (let next = shorterSnapshot(SNAPSHOT); next; next = shorterSnapshot(next)) steps.push(next);
  const shown = steps.map(({ tail, closes, traffic, health }) => [
    tail?.map(({ text }) => text),
    closes.length,
    traffic.length,
    health.reasons,
  ]);
  const shortened = expect.stringContaining('shortened') as string;
  expect(shown).toEqual([
    [[undefined], 1, 1, ['slow', shortened]],
    [[], 1, 1, ['slow', shortened]],
    [[], 0, 1, ['slow', shortened]],
    [[], 0, 0, ['slow', shortened]],
    [[], 0, 0, [shortened]],
  ]);
  expect(steps.at(-1)).toMatchObject({ nodeId: 'n1', counts: SNAPSHOT.counts, health: { status: 'degraded' } });
});
