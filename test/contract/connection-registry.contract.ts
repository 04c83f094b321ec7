import { InMemoryConnectionRegistry } from '../../lib/adapters/in-memory/in-memory-connection-registry.js';
import { createConnection, type RealtimeConnection } from '../../lib/core/connection/connection.js';
import type { ConnectionRegistry } from '../../lib/ports/connection-registry.js';
import { connectionRegistryContract } from '../../lib/testing/contracts/index.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const create = (): ConnectionRegistry => new InMemoryConnectionRegistry();
const twin = (change: (real: ConnectionRegistry) => Partial<ConnectionRegistry>) => twinOf(create, change);

keepsItsContract('InMemoryConnectionRegistry', connectionRegistryContract, create);

canBeBroken(connectionRegistryContract, {
  'finds a connection by its id': twin(() => ({ get: () => undefined })),
  'finds all connections of a user, and no others': twin((real) => ({ idsOfUser: () => real.ids() })),
  'finds all connections with a role, and no others': twin((real) => ({ idsOfRole: () => real.ids() })),
  'lists the ids of all connections': twin((real) => ({ ids: () => new Set([...real.ids()].slice(1)) })),
  'counts users, each once however many connections they have': twin((real) => ({
    get userCount() {
      return real.ids().size;
    },
  })),
  'puts a newer snapshot in place of the older one': twin((real) => ({
    set: (connection) => real.get(connection.id) ?? real.set(connection),
  })),
  'forgets the roles and the user of the older snapshot': twin((real) => ({
    set: (connection) => real.set(merged(real.get(connection.id), connection)),
  })),
  'gives back the connection that it removes': twin((real) => ({ remove: (id) => void real.remove(id) })),
  'keeps nothing of a removed connection': twin((real) => ({ remove: (id) => real.get(id) })),
  'keeps the other connections of a user when one is removed': twin((real) => ({
    remove(id) {
      const removed = real.get(id);
      for (const each of removed ? [...real.idsOfUser(removed.userId)] : []) real.remove(each);
      return removed;
    },
  })),
  'does nothing when an unknown connection is removed': twin((real) => ({
    remove: (id) => real.remove(real.get(id) ? id : [...real.ids()][0]!),
  })),
  'finds nothing under names that objects are born with': twin((real) => {
    const byId: Record<string, RealtimeConnection> = {};
    return {
      set(connection) {
        byId[connection.id] = connection;
        real.set(connection);
      },
      get: (id) => byId[id],
    };
  }),
  'lets connections be removed while a lookup is iterated': twin((real) => {
    const ids: string[] = [];
    return {
      set(connection) {
        ids.push(connection.id);
        real.set(connection);
      },
      remove(id) {
        ids.splice(ids.indexOf(id), 1);
        return real.remove(id);
      },
      // An array that shrinks while it is iterated skips every other entry.
      idsOfUser: () => ids as unknown as ReadonlySet<string>,
    };
  }),
});

function merged(older: RealtimeConnection | undefined, newer: RealtimeConnection): RealtimeConnection {
  return createConnection({ ...newer, roles: [...(older?.roles ?? []), ...newer.roles] });
}
