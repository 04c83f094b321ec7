import type { RealtimeConnection } from './connection.js';
import { MultiMap } from './multi-map.js';

/**
 * The connections of a node by id, by user and by role. Changed in place by its one owner; an empty user or role
 * leaves nothing behind.
 */
export class ConnectionIndex {
  readonly #byId = new Map<string, RealtimeConnection>();
  readonly #ids = new Set<string>();
  readonly #byUser = new MultiMap();
  readonly #byRole = new MultiMap();

  /** Adds a connection, or puts a newer snapshot in place of the one with the same id. */
  set(connection: RealtimeConnection): void {
    this.remove(connection.id);
    this.#byId.set(connection.id, connection);
    this.#ids.add(connection.id);
    this.#byUser.add(connection.userId, connection.id);
    for (const role of connection.roles) this.#byRole.add(role, connection.id);
  }

  /** @returns the connection that was there */
  remove(id: string): RealtimeConnection | undefined {
    const connection = this.#byId.get(id);
    if (connection === undefined) return undefined;
    this.#byId.delete(id);
    this.#ids.delete(id);
    this.#byUser.remove(connection.userId, id);
    for (const role of connection.roles) this.#byRole.remove(role, id);
    return connection;
  }

  get(id: string): RealtimeConnection | undefined {
    return this.#byId.get(id);
  }

  /** Ids of one user's connections. The set is the index's own: do not keep or change it. */
  idsOfUser(userId: string): ReadonlySet<string> {
    return this.#byUser.get(userId);
  }

  /** Ids of the connections with a role. The set is the index's own: do not keep or change it. */
  idsOfRole(role: string): ReadonlySet<string> {
    return this.#byRole.get(role);
  }

  /** Ids of all connections. The set is the index's own: do not keep or change it. */
  ids(): ReadonlySet<string> {
    return this.#ids;
  }

  get size(): number {
    return this.#byId.size;
  }

  get userCount(): number {
    return this.#byUser.size;
  }
}
