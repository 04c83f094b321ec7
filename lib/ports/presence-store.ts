import type { Presence, PresenceChange, PresenceMember } from '../core/presence/presence.js';

/** A node as the presence store sees it. */
export interface PresenceNode {
  readonly id: string;
  /** Called with a change on exactly one of all nodes, which is to act on it. Neither throws nor blocks. */
  readonly changed: (topic: string, change: PresenceChange) => void;
}

/**
 * Knows the users in a topic, over all nodes. Each node reports its own users; the users that a crashed node reported are
 * removed.
 *
 * **Promised by an implementation:** a user joins a topic when the first node reports the user, and leaves when the last
 * node withdraws the user. For each join and leave, in order, an envelope to the topic with the change as its content goes
 * over the bus, and `changed` is called on one node: the one that caused the change, or that noticed a crash. Neither happens
 * if another node reports or withdraws the same user, or if a node repeats its report. A report stays valid while its node
 * lives, without further calls. After a crash the users of the node leave within 15 s, once. A node that was taken for dead
 * and comes back repeats all its reports by itself. After `close`, users stay for a grace period, so that a user who
 * reconnects to another node meanwhile does not leave.
 *
 * **Concurrency:** all methods may be called while earlier calls are in progress. For one topic and user the last call
 * counts.
 *
 * **Errors:** `set` and `remove` do not reject: a change that cannot be reported now is reported later. `read` rejects with
 * `UNAVAILABLE`.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 */
export abstract class PresenceStore {
  /** Starts to report the users of this node, and to call `changed`. */
  abstract open(node: PresenceNode): void | Promise<void>;
  /** Reports a user of this node in the topic, with a number of connections and info. If omitted, info keeps its last reported value. */
  abstract set(topic: string, member: PresenceMember): void | Promise<void>;
  /** Withdraws the user from the topic on this node. */
  abstract remove(topic: string, userId: string): void | Promise<void>;
  /**
   * Returns the users in the topic, with the info reported last.
   * @param limit maximum number of users listed, in no particular order; the counts include all users
   */
  abstract read(topic: string, limit: number): Presence | Promise<Presence>;
  /**
   * Ends the reports of this node.
   * @param graceMs grace period, in milliseconds, in which the remaining users may appear on another node without leaving
   */
  abstract close(graceMs: number): void | Promise<void>;
}
