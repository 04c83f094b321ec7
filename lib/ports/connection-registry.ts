import type { RealtimeConnection } from '../core/connection/connection.js';

/**
 * The connections of this node, findable by id, user and role.
 *
 * **Promised by an implementation:** it answers at once, from this process's memory, and what was set is found by the
 * next call; a lookup costs what it returns, never a search; a removed connection leaves nothing behind. Sets that are
 * returned may be live: callers neither keep nor change them, but may remove connections while they iterate.
 *
 * **Not promised:** anything about other nodes; that is the bus's business. Nothing is stored beyond the process.
 */
export abstract class ConnectionRegistry {
  /** Adds a connection, or puts a newer snapshot in place of the one with the same id. */
  abstract set(connection: RealtimeConnection): void;
  /** @returns the connection that was there; removing an unknown id does nothing */
  abstract remove(id: string): RealtimeConnection | undefined;
  /** One connection, or `undefined` when there is none with this id. */
  abstract get(id: string): RealtimeConnection | undefined;
  /** Ids of one user's connections. */
  abstract idsOfUser(userId: string): ReadonlySet<string>;
  /** Ids of the connections that have a role now. */
  abstract idsOfRole(role: string): ReadonlySet<string>;
  /** Ids of all connections. */
  abstract ids(): ReadonlySet<string>;
  /** How many different users are connected. */
  abstract readonly userCount: number;
}
