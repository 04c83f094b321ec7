import { expect, it } from 'vitest';
import { createConnection } from '../core/connection/connection.js';
import { userView } from './user-view.js';

const connection = createConnection({
  id: 'node-1.a',
  userId: 'ann',
  roles: ['staff', 'admin'],
  metadata: { secret: 'hunter2' },
  createdAt: new Date(1_000),
  expiresAt: new Date(2_000),
});
const view = (topics: readonly string[]) =>
  userView({ isComplete: true, count: 1, connections: [{ connection, topics }] });

it('has the node, the times, the roles and the topics of each connection', () => {
  expect(view(['b', 'a'])).toEqual({
    isComplete: true,
    count: 1,
    connections: [
      {
        id: 'node-1.a',
        nodeId: 'node-1',
        since: 1_000,
        expires: 2_000,
        roles: ['admin', 'staff'],
        topicCount: 2,
        topics: ['a', 'b'],
      },
    ],
  });
});

it('has no metadata, which may hold secrets', () => {
  expect(JSON.stringify(view([]))).not.toContain('hunter2');
});

it('lists at most 200 topics, and counts all', () => {
  const [shown] = view(Array.from({ length: 300 }, (_, i) => `t:${i}`)).connections;
  expect([shown?.topics.length, shown?.topicCount]).toEqual([200, 300]);
});
