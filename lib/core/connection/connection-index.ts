import type { RealtimeConnection } from './connection.js';
import { MultiMap } from '../base/multi-map.js';

/**
 * The connections of a node by id, by user and by role. A user or role without connections takes no memory. Mutable; one
 * owner changes it.
 */
export class ConnectionIndex {
  readonly #byId = new Map<string, RealtimeConnection>();
  readonly #ids = new Set<string>();
  readonly #byUser = new MultiMap();
  readonly #byRole = new MultiMap();

  /** Adds a connection, or replaces the snapshot that has the same id. */
  set(connection: RealtimeConnection): void {
    const { id, userId, roles } = connection;
    const previous = this.#byId.get(id);
    // Unchanged entries are not removed and re-added: an iteration over one of the sets would visit the id again, forever.
    if (previous && previous.userId !== userId) this.#byUser.remove(previous.userId, id);
    for (const role of previous?.roles ?? []) if (!roles.has(role)) this.#byRole.remove(role, id);
    this.#byId.set(id, connection);
    this.#ids.add(id);
    this.#byUser.add(userId, id);
    for (const role of roles) this.#byRole.add(role, id);
  }

  /** @returns the removed connection, if there was one */
  remove(id: string): RealtimeConnection | undefined {
    const connection = this.#byId.get(id);
    if (connection === undefined) return undefined;
    this.#byId.delete(id);
    this.#ids.delete(id);
    this.#byUser.remove(connection.userId, id);
    for (const role of connection.roles) this.#byRole.remove(role, id);
    return connection;
  }

  /** Returns the connection with this id, or `undefined` if there is none. */
  get(id: string): RealtimeConnection | undefined {
    return this.#byId.get(id);
  }

  /** Ids of one user's connections. The set belongs to the index: do not keep or change it. */
  idsOfUser(userId: string): ReadonlySet<string> {
    return this.#byUser.get(userId);
  }

  /** Ids of the connections with a role. The set belongs to the index: do not keep or change it. */
  idsOfRole(role: string): ReadonlySet<string> {
    return this.#byRole.get(role);
  }

  /** Ids of all connections. The set belongs to the index: do not keep or change it. */
  ids(): ReadonlySet<string> {
    return this.#ids;
  }

  /** The number of connections. */
  get size(): number {
    return this.#byId.size;
  }

  /** The number of distinct users. */
  get userCount(): number {
    return this.#byUser.size;
  }
}
