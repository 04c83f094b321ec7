import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { all, connection, role, topic, user, type Address } from './address.js';
import { createConnection } from '../connection/connection.js';
import { ConnectionIndex } from '../connection/connection-index.js';
import { addressed, broadcastMessage, userMessage } from './envelope.js';
import {
  matches,
  messagesReaching,
  reaches,
  recipientsOf,
  routeToConnections,
  routeToIds,
  type RecipientIndex,
} from './routing.js';
import { Subscriptions } from '../topic/subscriptions.js';

const NAMES = ['a', 'b', 'constructor', '__proto__', 'toString'];
const name = () => fc.constantFrom(...NAMES);

const addresses = (): fc.Arbitrary<Address> =>
  fc.oneof(fc.constant(all()), ...[user, role, connection, topic].map((make) => name().map(make)));

const world = () =>
  fc
    .uniqueArray(fc.record({ id: name(), userId: name(), roles: fc.subarray(NAMES), topics: fc.subarray(NAMES) }), {
      selector: ({ id }) => id,
    })
    .map((entries) => {
      const index = new ConnectionIndex();
      const subscriptions = new Subscriptions();
      const connections = entries.map((entry) => createConnection({ ...entry, createdAt: new Date(0) }));
      connections.forEach((entry) => index.set(entry));
      for (const { id, topics } of entries) for (const each of topics) subscriptions.subscribe(id, each);
      return {
        connections,
        topicsOf: (id: string) => subscriptions.topicsOf(id),
        index: indexOver(index, subscriptions),
      };
    });

function indexOver(index: ConnectionIndex, subscriptions: Subscriptions): RecipientIndex {
  return {
    idsOf(address) {
      switch (address.kind) {
        case 'all':
          return index.ids();
        case 'user':
          return index.idsOfUser(address.id);
        case 'role':
          return index.idsOfRole(address.id);
        case 'connection':
          return new Set(index.get(address.id) && [address.id]);
        case 'topic':
          return subscriptions.subscribersOf(address.id);
      }
    },
  };
}

const addressing = () =>
  fc.record({ to: fc.array(addresses(), { maxLength: 4 }), except: fc.array(addresses(), { maxLength: 2 }) });

describe('recipientsOf', () => {
  it('agrees with going through the whole list', () => {
    fc.assert(
      fc.property(world(), addressing(), ({ connections, topicsOf, index }, target) => {
        expect([...recipientsOf(target, index)].sort()).toEqual(routeToIds(target, connections, topicsOf).sort());
      }),
    );
  });

  it('leaves the index as it was', () => {
    fc.assert(
      fc.property(world(), addressing(), addresses(), ({ index }, target, address) => {
        const before = new Set(index.idsOf(address));
        recipientsOf(target, index);
        expect(index.idsOf(address)).toEqual(before);
      }),
    );
  });

  it("hands out the index's own set for a single address", () => {
    const ids = new Set(['n.1']);
    expect(recipientsOf({ to: [all()], except: [] }, { idsOf: () => ids })).toBe(ids);
  });

  it('reaches nobody without an address', () => {
    expect(recipientsOf({ to: [], except: [] }, { idsOf: () => new Set(['n.1']) }).size).toBe(0);
  });
});

describe('routeToConnections', () => {
  it('has each connection once, in the order of the list, and only those that the message reaches', () => {
    fc.assert(
      fc.property(world(), addressing(), ({ connections, topicsOf }, target) => {
        expect(routeToConnections(target, [...connections, ...connections], topicsOf)).toEqual(
          connections.filter((each) => reaches(target, each, topicsOf)),
        );
      }),
    );
  });
});

describe('matches', () => {
  const ann = createConnection({ id: 'n.1', userId: 'ann', roles: ['admin'], createdAt: new Date(0) });
  const topicsOf = () => new Set(['news']);

  it.each([[all()], [user('ann')], [role('admin')], [connection('n.1')], [topic('news')]])(
    'is true for %j',
    (address) => {
      expect(matches(ann, address, topicsOf)).toBe(true);
    },
  );

  it.each([[user('admin')], [role('ann')], [connection('n.2')], [topic('sport')], [role('constructor')]])(
    'is false for %j',
    (address) => {
      expect(matches(ann, address, topicsOf)).toBe(false);
    },
  );

  it('knows no subscriptions unless it is told', () => {
    expect(matches(ann, topic('news'))).toBe(false);
  });
});

describe('reaches', () => {
  const ann = createConnection({ id: 'n.1', userId: 'ann', roles: ['admin'], createdAt: new Date(0) });

  it('is false for an exception, however many addresses match', () => {
    expect(reaches({ to: [all(), user('ann')], except: [role('admin')] }, ann)).toBe(false);
  });
});

describe('messagesReaching', () => {
  it('keeps the messages that reach the connection, in their order', () => {
    const ann = createConnection({ id: 'n.1', userId: 'ann', createdAt: new Date(0) });
    const [one, two, three, four] = [
      broadcastMessage({ type: 'one' }),
      userMessage('bob', { type: 'two' }),
      userMessage('ann', { type: 'three' }),
      addressed({ type: 'four' }, [all()], [connection('n.1')]),
    ];
    expect(messagesReaching([one, two, three, four], ann)).toEqual([one, three]);
  });
});
