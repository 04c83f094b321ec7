import type { RealtimeConnection } from './connection.js';
import { MultiMap } from '../base/multi-map.js';

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
    const { id, userId, roles } = connection;
    const previous = this.#byId.get(id);
    // What stays is not taken out and put back: whoever walks one of the sets would meet the id again, without end.
    if (previous && previous.userId !== userId) this.#byUser.remove(previous.userId, id);
    for (const role of previous?.roles ?? []) if (!roles.has(role)) this.#byRole.remove(role, id);
    this.#byId.set(id, connection);
    this.#ids.add(id);
    this.#byUser.add(userId, id);
    for (const role of roles) this.#byRole.add(role, id);
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

  /** One connection, or `undefined` when there is none with this id. */
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

  /** How many connections there are. */
  get size(): number {
    return this.#byId.size;
  }

  /** How many different users are connected. */
  get userCount(): number {
    return this.#byUser.size;
  }
}
