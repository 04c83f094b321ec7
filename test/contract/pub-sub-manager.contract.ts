import { InMemoryPubSubManager } from '../../lib/adapters/in-memory/in-memory-pub-sub-manager.js';
import type { PubSubManager } from '../../lib/ports/pub-sub-manager.js';
import { pubSubManagerContract } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const create = (): PubSubManager => new InMemoryPubSubManager();
const twin = (change: (real: PubSubManager) => Partial<PubSubManager>) => twinOf(create, change);

keepsItsContract('InMemoryPubSubManager', pubSubManagerContract, create);

canBeBroken(pubSubManagerContract, {
  'finds the subscribers of a topic, and no others': twin((real) => {
    const everybody = new Set<string>();
    return {
      subscribe(connectionId, topic) {
        everybody.add(connectionId);
        return real.subscribe(connectionId, topic);
      },
      subscribersOf: () => everybody,
    };
  }),
  'finds the topics of a connection, and no others': twin(() => ({ topicsOf: () => new Set(['chat:1']) })),
  'says whether a connection is subscribed': twin((real) => ({
    isSubscribed: (_connectionId, topic) => real.subscribersOf(topic).size > 0,
  })),
  'says of the first subscription only that it is new': twin((real) => ({
    subscribe: (connectionId, topic) => real.subscribe(connectionId, topic) || true,
  })),
  'says of the first unsubscription only that it ended something': twin((real) => ({
    unsubscribe: (connectionId, topic) => real.unsubscribe(connectionId, topic) || true,
  })),
  'counts a subscription that is made twice once': twin((real) => {
    let calls = 0;
    return {
      subscribe(connectionId, topic) {
        calls += 1;
        return real.subscribe(connectionId, topic);
      },
      get subscriptionCount() {
        return calls;
      },
    };
  }),
  'counts topics that have subscribers, and subscriptions': twin((real) => ({
    get topicCount() {
      return real.subscriptionCount;
    },
  })),
  'keeps other subscriptions when one ends': twin((real) => ({
    unsubscribe: (connectionId) => real.unsubscribeAll(connectionId).length > 0,
  })),
  'ends all subscriptions of a connection and says which they were': twin((real) => ({
    unsubscribeAll(connectionId) {
      const topics = [...real.topicsOf(connectionId)];
      real.unsubscribe(connectionId, topics[0] ?? '');
      return topics;
    },
  })),
  'keeps nothing of a topic without subscribers and a connection without topics': twin((real) => {
    const topics = new Set<string>();
    return {
      subscribe(connectionId, topic) {
        topics.add(topic);
        return real.subscribe(connectionId, topic);
      },
      get topicCount() {
        return topics.size;
      },
    };
  }),
  'does nothing for a connection that is not subscribed': twin((real) => ({
    unsubscribe(connectionId, topic) {
      const ended = real.unsubscribe(connectionId, topic);
      for (const each of ended ? [] : [...real.subscribersOf(topic)]) real.unsubscribe(each, topic);
      return ended;
    },
  })),
  'finds nothing under names that objects are born with': twin(() => {
    const subscribers: Record<string, ReadonlySet<string>> = {};
    return { subscribersOf: (topic) => subscribers[topic] ?? new Set() };
  }),
  'lets connections be unsubscribed while a lookup is iterated': twin((real) => {
    const copies = new Map<string, string[]>();
    return {
      subscribe(connectionId, topic) {
        copies.set(topic, [...(copies.get(topic) ?? []), connectionId]);
        return real.subscribe(connectionId, topic);
      },
      unsubscribeAll(connectionId) {
        for (const list of copies.values()) list.splice(list.indexOf(connectionId), 1);
        return real.unsubscribeAll(connectionId);
      },
      // An array that shrinks while it is iterated skips every other entry.
      subscribersOf: (topic) => copies.get(topic) as unknown as ReadonlySet<string>,
    };
  }),
});
