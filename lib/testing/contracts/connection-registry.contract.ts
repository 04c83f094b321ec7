import assert from 'node:assert/strict';
import { createConnection, type RealtimeConnection } from '../../core/connection/connection.js';
import type { ConnectionRegistry } from '../../ports/connection-registry.js';
import type { ContractCase } from './contract-case.js';

/**
 * Guarantees of every `ConnectionRegistry`.
 * @publicApi
 */
export const connectionRegistryContract: readonly ContractCase<ConnectionRegistry>[] = [
  {
    name: 'finds a connection by its id',
    async run(create) {
      const registry = await create();
      const ann = connection('c1', 'ann');
      registry.set(ann);
      registry.set(connection('c2', 'bob'));
      assert.deepEqual(registry.get('c1'), ann);
    },
  },
  {
    name: 'finds all connections of a user, and no others',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann'));
      registry.set(connection('c2', 'bob'));
      registry.set(connection('c3', 'ann'));
      assert.deepEqual([...registry.idsOfUser('ann')].sort(), ['c1', 'c3']);
    },
  },
  {
    name: 'finds all connections with a role, and no others',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann', ['admin', 'staff']));
      registry.set(connection('c2', 'bob', ['staff']));
      registry.set(connection('c3', 'eve'));
      assert.deepEqual([...registry.idsOfRole('staff')].sort(), ['c1', 'c2']);
      assert.deepEqual([...registry.idsOfRole('admin')], ['c1']);
    },
  },
  {
    name: 'lists the ids of all connections',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann'));
      registry.set(connection('c2', 'ann'));
      assert.deepEqual([...registry.ids()].sort(), ['c1', 'c2']);
    },
  },
  {
    name: 'counts users, each once however many connections they have',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann'));
      registry.set(connection('c2', 'ann'));
      registry.set(connection('c3', 'bob'));
      assert.equal(registry.userCount, 2);
    },
  },
  {
    name: 'puts a newer snapshot in place of the older one',
    async run(create) {
      const registry = await create();
      const newer = connection('c1', 'ann', ['staff']);
      registry.set(connection('c1', 'ann', ['admin']));
      registry.set(newer);
      assert.deepEqual(registry.get('c1'), newer);
      assert.deepEqual([...registry.ids()], ['c1']);
    },
  },
  {
    name: 'forgets the roles and the user of the older snapshot',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann', ['admin']));
      registry.set(connection('c1', 'bob', ['staff']));
      assert.equal(registry.idsOfRole('admin').size, 0);
      assert.equal(registry.idsOfUser('ann').size, 0);
      assert.equal(registry.userCount, 1);
    },
  },
  {
    name: 'gives back the connection that it removes',
    async run(create) {
      const registry = await create();
      const ann = connection('c1', 'ann');
      registry.set(ann);
      assert.deepEqual(registry.remove('c1'), ann);
      assert.equal(registry.remove('c1'), undefined);
    },
  },
  {
    name: 'keeps nothing of a removed connection',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann', ['admin']));
      registry.remove('c1');
      assert.equal(registry.get('c1'), undefined);
      assert.equal(registry.ids().size + registry.idsOfUser('ann').size + registry.idsOfRole('admin').size, 0);
      assert.equal(registry.userCount, 0);
    },
  },
  {
    name: 'keeps the other connections of a user when one is removed',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann', ['admin']));
      registry.set(connection('c2', 'ann', ['admin']));
      registry.remove('c1');
      assert.deepEqual([...registry.idsOfUser('ann')], ['c2']);
      assert.deepEqual([...registry.idsOfRole('admin')], ['c2']);
      assert.equal(registry.userCount, 1);
    },
  },
  {
    name: 'does nothing when an unknown connection is removed',
    async run(create) {
      const registry = await create();
      registry.set(connection('c1', 'ann'));
      assert.equal(registry.remove('c2'), undefined);
      assert.deepEqual([...registry.ids()], ['c1']);
    },
  },
  {
    name: 'finds nothing under names that objects are born with',
    async run(create) {
      const registry = await create();
      for (const name of ['constructor', '__proto__', 'toString']) {
        assert.equal(registry.get(name), undefined);
        assert.equal(registry.idsOfUser(name).size, 0);
        assert.equal(registry.idsOfRole(name).size, 0);
      }
    },
  },
  {
    name: 'lets connections be removed while a lookup is iterated',
    async run(create) {
      const registry = await create();
      for (const id of ['c1', 'c2', 'c3']) registry.set(connection(id, 'ann'));
      const seen: string[] = [];
      for (const id of registry.idsOfUser('ann')) {
        seen.push(id);
        registry.remove(id);
      }
      assert.deepEqual(seen.sort(), ['c1', 'c2', 'c3']);
      assert.equal(registry.ids().size, 0);
    },
  },
];

function connection(id: string, userId: string, roles: readonly string[] = []): RealtimeConnection {
  return createConnection({ id, userId, roles, createdAt: new Date(0) });
}
