import type { UserConnections } from '../delivery/fleet-inspection.js';
import { nodeOf } from '../core/connection/connection-id.js';

/** Most topics of one connection that are listed. */
const MAX_TOPICS = 200;

/** The view of a user's connections on the page. Metadata is left out: it may hold anything, secrets included. */
export function userView({ isComplete, count, connections }: UserConnections) {
  return {
    isComplete,
    count,
    connections: connections.map(({ connection, topics }) => ({
      id: connection.id,
      nodeId: nodeOf(connection.id),
      since: connection.createdAt.getTime(),
      ...(connection.expiresAt && { expires: connection.expiresAt.getTime() }),
      roles: [...connection.roles].sort(),
      topicCount: topics.length,
      topics: topics.toSorted().slice(0, MAX_TOPICS),
    })),
  };
}
