import type { NodeCounts } from '../core/bus/node-info.js';
import type { ConnectionRegistry } from '../ports/connection-registry.js';
import type { PubSubManager } from '../ports/pub-sub-manager.js';

/** The counts of this node. */
export function countsOf(registry: ConnectionRegistry, pubSub: PubSubManager): NodeCounts {
  return {
    connections: registry.ids().size,
    users: registry.userCount,
    topics: pubSub.topicCount,
    subscriptions: pubSub.subscriptionCount,
  };
}
