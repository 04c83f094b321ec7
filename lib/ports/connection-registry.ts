import type { RealtimeConnection } from '../core/connection/connection.js';

/**
 * The connections of this node, indexed by id, user and role.
 *
 * **Promised by an implementation:** it answers synchronously, from the memory of this process, and a change is visible to
 * the next call. The cost of a lookup depends on the size of its result; it never searches. A removed connection takes no
 * memory. Returned sets may be live: callers do not change them. Connections may come and go while a caller iterates over one, which
 * may take several turns of the event loop.
 *
 * **Not promised:** anything about other nodes, which the bus covers. Nothing is stored outside of the process.
 */
export abstract class ConnectionRegistry {
  /** Adds a connection, or replaces the snapshot that has the same id. */
  abstract set(connection: RealtimeConnection): void;
  /** @returns the removed connection; removing an unknown id does nothing */
  abstract remove(id: string): RealtimeConnection | undefined;
  /** Returns the connection with this id, or `undefined` if there is none. */
  abstract get(id: string): RealtimeConnection | undefined;
  /** Ids of one user's connections. */
  abstract idsOfUser(userId: string): ReadonlySet<string>;
  /** Ids of the connections that currently have a role. */
  abstract idsOfRole(role: string): ReadonlySet<string>;
  /** Ids of all connections. */
  abstract ids(): ReadonlySet<string>;
  /** The number of distinct users. */
  abstract readonly userCount: number;
}
