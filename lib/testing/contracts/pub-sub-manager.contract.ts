import assert from 'node:assert/strict';
import type { PubSubManager } from '../../ports/pub-sub-manager.js';
import type { ContractCase } from './contract-case.js';

/**
 * Guarantees of every `PubSubManager`.
 * @publicApi
 */
export const pubSubManagerContract: readonly ContractCase<PubSubManager>[] = [
  {
    name: 'finds the subscribers of a topic, and no others',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c2', 'chat:1');
      pubSub.subscribe('c3', 'chat:2');
      assert.deepEqual([...pubSub.subscribersOf('chat:1')].sort(), ['c1', 'c2']);
    },
  },
  {
    name: 'finds the topics of a connection, and no others',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c1', 'chat:2');
      pubSub.subscribe('c2', 'chat:3');
      assert.deepEqual([...pubSub.topicsOf('c1')].sort(), ['chat:1', 'chat:2']);
    },
  },
  {
    name: 'says whether a connection is subscribed',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c2', 'chat:2');
      assert.equal(pubSub.isSubscribed('c1', 'chat:1'), true);
      assert.equal(pubSub.isSubscribed('c1', 'chat:2'), false);
    },
  },
  {
    name: 'says of the first subscription only that it is new',
    async run(create) {
      const pubSub = await create();
      assert.equal(pubSub.subscribe('c1', 'chat:1'), true);
      assert.equal(pubSub.subscribe('c1', 'chat:1'), false);
    },
  },
  {
    name: 'says of the first unsubscription only that it ended something',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      assert.equal(pubSub.unsubscribe('c1', 'chat:1'), true);
      assert.equal(pubSub.unsubscribe('c1', 'chat:1'), false);
    },
  },
  {
    name: 'counts a subscription that is made twice once',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c1', 'chat:1');
      assert.equal(pubSub.subscriptionCount, 1);
      pubSub.unsubscribe('c1', 'chat:1');
      assert.equal(pubSub.isSubscribed('c1', 'chat:1'), false);
    },
  },
  {
    name: 'counts topics that have subscribers, and subscriptions',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c2', 'chat:1');
      pubSub.subscribe('c2', 'chat:2');
      assert.deepEqual([pubSub.topicCount, pubSub.subscriptionCount], [2, 3]);
    },
  },
  {
    name: 'keeps other subscriptions when one ends',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c1', 'chat:2');
      pubSub.subscribe('c2', 'chat:1');
      pubSub.unsubscribe('c1', 'chat:1');
      assert.deepEqual([...pubSub.topicsOf('c1')], ['chat:2']);
      assert.deepEqual([...pubSub.subscribersOf('chat:1')], ['c2']);
    },
  },
  {
    name: 'ends all subscriptions of a connection and says which they were',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c1', 'chat:2');
      pubSub.subscribe('c2', 'chat:1');
      assert.deepEqual([...pubSub.unsubscribeAll('c1')].sort(), ['chat:1', 'chat:2']);
      assert.deepEqual([...pubSub.subscribersOf('chat:1')], ['c2']);
      assert.equal(pubSub.subscriptionCount, 1);
    },
  },
  {
    name: 'keeps nothing of a topic without subscribers and a connection without topics',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      pubSub.subscribe('c1', 'chat:2');
      pubSub.unsubscribe('c1', 'chat:1');
      pubSub.unsubscribeAll('c1');
      assert.deepEqual([pubSub.topicCount, pubSub.subscriptionCount], [0, 0]);
      assert.equal(pubSub.subscribersOf('chat:1').size + pubSub.topicsOf('c1').size, 0);
    },
  },
  {
    name: 'does nothing for a connection that is not subscribed',
    async run(create) {
      const pubSub = await create();
      pubSub.subscribe('c1', 'chat:1');
      assert.equal(pubSub.unsubscribe('c2', 'chat:1'), false);
      assert.deepEqual([...pubSub.unsubscribeAll('c2')], []);
      assert.equal(pubSub.subscriptionCount, 1);
    },
  },
  {
    name: 'finds nothing under names that objects are born with',
    async run(create) {
      const pubSub = await create();
      for (const name of ['constructor', '__proto__', 'toString']) {
        assert.equal(pubSub.subscribersOf(name).size, 0);
        assert.equal(pubSub.topicsOf(name).size, 0);
        assert.equal(pubSub.isSubscribed('c1', name), false);
      }
    },
  },
  {
    name: 'lets connections be unsubscribed while a lookup is iterated',
    async run(create) {
      const pubSub = await create();
      for (const id of ['c1', 'c2', 'c3']) pubSub.subscribe(id, 'chat:1');
      const seen: string[] = [];
      for (const id of pubSub.subscribersOf('chat:1')) {
        seen.push(id);
        pubSub.unsubscribeAll(id);
      }
      assert.deepEqual(seen.sort(), ['c1', 'c2', 'c3']);
      assert.equal(pubSub.topicCount, 0);
    },
  },
];
