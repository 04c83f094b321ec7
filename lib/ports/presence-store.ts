import type { PresencePicture, PresencePosition, PresenceReading } from '../core/presence/presence-position.js';
import type { PresenceChange, PresenceMember } from '../core/presence/presence.js';

/** The node that opens a store: its name, and the callback for its changes. */
export interface PresenceNode {
  readonly id: string;
  /** Called for each change that this node has to act on: one node of all acts on a change. Neither throws nor blocks. */
  readonly changed: (topic: string, change: PresenceChange) => void;
}

/**
 * Keeps the members of topics, over all nodes. Each node reports its own entries; the entries of a crashed node are removed.
 *
 * **Promised by an implementation:** when the first node reports a user in a topic, the user has joined; when the last one
 * removes the user, the user has left; when another info becomes the newest one reported by the nodes, the user is updated.
 * For each of these changes, in their order, an envelope to the topic with the change as its content goes over the bus, and
 * one node is notified: the one that caused the change, or that noticed a crash. While another node has the user, a
 * node that reports or removes the user causes no join or leave, and neither does a repeated report. The entries of a node are valid as long as the node lives, at a low
 * running cost. After a node has crashed, its members leave within 15 s, once. A change that a crashed node may not have
 * acted on is passed to another node. A node that was declared dead and comes back reports all of its entries again by
 * itself. After `close` the members stay for the grace period, so a user who moves to another node within it never leaves.
 *
 * **Gaps:** the bus may lose an envelope. If it can, the change carries its position and that of the previous change
 * (`PresenceNews`), `positions` returns the positions of topics, and `picture` reads all users of a topic, so that a node can
 * send the difference.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. For one topic and user the last call wins.
 * `read`, `picture` and `update` see every `set` and `remove` that this node has called before.
 *
 * **Errors:** `set` and `remove` do not reject: a change that cannot be reported now is reported later. `read`, `picture`, `positions`
 * and `update` reject with `UNAVAILABLE`.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 */
export abstract class PresenceStore {
  /** Starts reporting this node's entries and receiving changes. */
  abstract open(node: PresenceNode): void | Promise<void>;
  /**
   * Reports that this node has the user in the topic, with these connections and this info; omitted info stays as this node
   * last reported it.
   * @param ageMs the age of the info, in milliseconds; default 0. The newest info of all nodes is shown
   */
  abstract set(topic: string, member: PresenceMember, ageMs?: number): void | Promise<void>;
  /** Reports that this node no longer has the user in the topic. */
  abstract remove(topic: string, userId: string): void | Promise<void>;
  /**
   * Sets the info of a user of any node, until a newer connection provides its own or the user leaves.
   * @returns false if the user is not in the topic
   */
  abstract update(topic: string, userId: string, info: unknown): boolean | Promise<boolean>;
  /**
   * Reads the members of a topic.
   * @param limit the maximum number of members listed, in no particular order; may be `Infinity`. The counts cover all members
   */
  abstract read(topic: string, limit: number): PresenceReading | Promise<PresenceReading>;
  /**
   * Reads all users of a topic, in pages if there are many.
   * @returns nothing if there are more than `limit`
   */
  abstract picture(topic: string, limit: number): PresencePicture | undefined | Promise<PresencePicture | undefined>;
  /** Reads the positions of topics, one for each in their order; `undefined` where no change can be lost. */
  abstract positions(
    topics: readonly string[],
  ): readonly (PresencePosition | undefined)[] | Promise<readonly (PresencePosition | undefined)[]>;
  /**
   * Stops reporting.
   * @param graceMs the grace period for which this node's remaining users stay members for other nodes, in milliseconds
   */
  abstract close(graceMs: number): void | Promise<void>;
}
