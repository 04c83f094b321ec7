import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Subscriptions } from './subscriptions.js';

const CONNECTIONS = ['n.1', 'n.2', 'constructor', '__proto__'];
const TOPICS = ['order:1', 'order:2', 'constructor', '__proto__', 'toString'];

type Step =
  | { readonly kind: 'subscribe' | 'unsubscribe'; readonly connection: string; readonly topic: string }
  | { readonly kind: 'unsubscribeAll'; readonly connection: string };

const steps = (): fc.Arbitrary<Step[]> => {
  const connection = fc.constantFrom(...CONNECTIONS);
  const topic = fc.constantFrom(...TOPICS);
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), connection, topic }) },
      { weight: 4, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), connection, topic }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribeAll' as const), connection }) },
    ),
    { maxLength: 60, size: 'max' },
  );
};

/** Applies the steps to the real thing and to a plain Map, and compares what each step answers. */
function run(subscriptions: Subscriptions, list: readonly Step[]): Map<string, Set<string>> {
  const model = new Map<string, Set<string>>();
  for (const step of list) {
    const topics = model.get(step.connection) ?? new Set();
    switch (step.kind) {
      case 'subscribe':
        expect(subscriptions.subscribe(step.connection, step.topic)).toBe(!topics.has(step.topic));
        topics.add(step.topic);
        break;
      case 'unsubscribe':
        expect(subscriptions.unsubscribe(step.connection, step.topic)).toBe(topics.delete(step.topic));
        break;
      case 'unsubscribeAll':
        expect(subscriptions.unsubscribeAll(step.connection)).toEqual([...topics]);
        topics.clear();
    }
    model.set(step.connection, topics);
  }
  return model;
}

describe('Subscriptions', () => {
  it('agree with a plain Map of Sets after any changes', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        const subscriptions = new Subscriptions();
        const model = run(subscriptions, list);
        const pairs = [...model].flatMap(([id, topics]) => Array.from(topics, (topic) => ({ id, topic })));
        expect(subscriptions.subscriptionCount).toBe(pairs.length);
        expect(subscriptions.topicCount).toBe(new Set(pairs.map(({ topic }) => topic)).size);
        for (const id of CONNECTIONS) expect(subscriptions.topicsOf(id)).toEqual(model.get(id) ?? new Set());
        for (const topic of TOPICS) {
          const subscribers = pairs.filter((pair) => pair.topic === topic).map(({ id }) => id);
          expect(subscriptions.subscribersOf(topic)).toEqual(new Set(subscribers));
          expect(subscriptions.hasTopic(topic)).toBe(subscribers.length > 0);
          for (const id of CONNECTIONS) {
            expect(subscriptions.isSubscribed(id, topic)).toBe(subscribers.includes(id));
          }
        }
      }),
    );
  });

  it('are as before when a subscription is taken back', () => {
    fc.assert(
      fc.property(steps(), fc.constantFrom(...CONNECTIONS), fc.constantFrom(...TOPICS), (list, id, topic) => {
        const subscriptions = new Subscriptions();
        run(subscriptions, list);
        fc.pre(!subscriptions.isSubscribed(id, topic));
        const before = snapshot(subscriptions);
        subscriptions.subscribe(id, topic);
        subscriptions.unsubscribe(id, topic);
        expect(snapshot(subscriptions)).toEqual(before);
      }),
    );
  });

  it('leave nothing behind when every connection has gone', () => {
    fc.assert(
      fc.property(steps(), (list) => {
        const subscriptions = new Subscriptions();
        run(subscriptions, list);
        for (const id of CONNECTIONS) subscriptions.unsubscribeAll(id);
        expect(snapshot(subscriptions)).toEqual(snapshot(new Subscriptions()));
      }),
    );
  });

  it('tell the topics of a leaving connection in the order of its subscriptions', () => {
    const subscriptions = new Subscriptions();
    for (const topic of ['b', 'c', 'a', 'c']) subscriptions.subscribe('n.1', topic);
    expect(subscriptions.unsubscribeAll('n.1')).toEqual(['b', 'c', 'a']);
  });

  it('may end while the subscribers of a topic are walked', () => {
    const subscriptions = new Subscriptions();
    for (const id of CONNECTIONS) subscriptions.subscribe(id, 'news');
    const walked = Array.from(subscriptions.subscribersOf('news'), (id) => subscriptions.unsubscribeAll(id).length);
    expect([walked, subscriptions.topicCount]).toEqual([[1, 1, 1, 1], 0]);
  });
});

function snapshot(subscriptions: Subscriptions): unknown {
  return {
    topicCount: subscriptions.topicCount,
    subscriptionCount: subscriptions.subscriptionCount,
    topics: TOPICS.map((topic) => [subscriptions.hasTopic(topic), [...subscriptions.subscribersOf(topic)]]),
    connections: CONNECTIONS.map((id) => [...subscriptions.topicsOf(id)]),
  };
}
