import type { PresencePicture, PresencePosition, PresenceReading } from '../core/presence/presence-position.js';
import type { PresenceChange, PresenceMember } from '../core/presence/presence.js';

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
 * **Promised by an implementation:** when the first node says that a user is in a topic, the user has joined; when the
 * last one says that it is no longer, the user has left; and when another info becomes the newest of those that nodes say,
 * the user is updated. Of each of these, in their order, an envelope to the topic with the change as its content goes over
 * the bus, and one node is told: the one that has brought it about, or has noticed a crash. Joins and leaves are told of no
 * further node that comes or goes, or says it anew. What a node has said holds for as long as it lives, and costs little
 * meanwhile; after it has crashed, its members leave within 15 s, once. A change that a crashed node may not have acted on
 * is told to another one. A node that was taken for dead and comes back says everything again by itself. After `close` the
 * members stay for the time given, so that a user who moves to another node never leaves.
 *
 * **Gaps:** the bus may lose an envelope. Where it can, the change carries its place and that of the change before it
 * (`PresenceNews`), `positions` says where topics are, and `picture` reads all users of one, so that a node can
 * tell the difference.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way. Of one topic and user the last call holds.
 * `read`, `picture` and `update` see every `set` and `remove` that this node has called before.
 *
 * **Errors:** `set` and `remove` do not reject: while it cannot be told, it is told later. `read`, `picture`, `positions`
 * and `update` reject with `UNAVAILABLE`.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 */
export abstract class PresenceStore {
  /** Starts to say whom this node has, and to be told. */
  abstract open(node: PresenceNode): void | Promise<void>;
  /**
   * This node has the user in the topic, with this many connections and this info; left out, it stays as this node said it last.
   * @param ageMs how long ago the info was given, in milliseconds; 0 when left out. Of what several nodes say, the newest is shown
   */
  abstract set(topic: string, member: PresenceMember, ageMs?: number): void | Promise<void>;
  /** This node has the user in the topic no longer. */
  abstract remove(topic: string, userId: string): void | Promise<void>;
  /**
   * Shows another info of a user on any node, until a newer connection gives its own or the user leaves.
   * @returns false when the user is not in the topic
   */
  abstract update(topic: string, userId: string, info: unknown): boolean | Promise<boolean>;
  /**
   * Who is in the topic.
   * @param limit most members that are listed, in no particular order, and may be `Infinity`; the counts are those of all
   */
  abstract read(topic: string, limit: number): PresenceReading | Promise<PresenceReading>;
  /**
   * All users of a topic, read in pages where there are many.
   * @returns nothing when there are more than `limit`
   */
  abstract picture(topic: string, limit: number): PresencePicture | undefined | Promise<PresencePicture | undefined>;
  /** Where these topics are, one answer for each in their order; `undefined` where no change can be lost. */
  abstract positions(
    topics: readonly string[],
  ): readonly (PresencePosition | undefined)[] | Promise<readonly (PresencePosition | undefined)[]>;
  /**
   * Ends what this node says.
   * @param graceMs how long the users who are still here stay for all others, in milliseconds
   */
  abstract close(graceMs: number): void | Promise<void>;
}
