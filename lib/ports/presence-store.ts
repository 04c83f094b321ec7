import type { Presence, PresenceChange, PresenceMember } from '../core/presence/presence.js';

/** What a node tells about itself, and what it is told. */
export interface PresenceNode {
  readonly id: string;
  /** Told of each change by the one node that is to act on it, once in all nodes. Neither throws nor waits. */
  readonly changed: (topic: string, change: PresenceChange) => void;
}

/**
 * Knows who is in a topic, over all nodes. Each node says what it holds itself; a node that crashes is forgotten with
 * all that it has said.
 *
 * **Promised by an implementation:** when the first node says that a user is in a topic, the user has joined, and when the
 * last one says that it is no longer, the user has left. Of each of these, in their order, an envelope to the topic with the
 * change as its content goes over the bus, and one node is told: the one that has brought it about, or has noticed a
 * crash. Neither happens when a further node comes or goes, or says it anew. What a node has said holds for as long as it
 * lives, and costs nothing meanwhile; after it has crashed, its members leave within 15 s, once. A node that was taken
 * for dead and comes back says everything again by itself. After `close` the members stay for the time given, so that who
 * moves to another node never leaves.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. Of one topic and user the last call holds.
 *
 * **Errors:** `set` and `remove` do not reject: while it cannot be told, it is told later. `read` rejects with `UNAVAILABLE`.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 */
export abstract class PresenceStore {
  /** Starts to say whom this node has, and to be told. */
  abstract open(node: PresenceNode): void | Promise<void>;
  /** This node has the user in the topic, with this many connections and this info; left out, it stays as whoever said it last. */
  abstract set(topic: string, member: PresenceMember): void | Promise<void>;
  /** This node has the user in the topic no longer. */
  abstract remove(topic: string, userId: string): void | Promise<void>;
  /**
   * Who is in the topic; the info is what was said last.
   * @param limit most members that are listed, in no particular order; the counts are those of all
   */
  abstract read(topic: string, limit: number): Presence | Promise<Presence>;
  /**
   * Ends what this node says.
   * @param graceMs for how long those who are still here are waited for elsewhere, in milliseconds
   */
  abstract close(graceMs: number): void | Promise<void>;
}
