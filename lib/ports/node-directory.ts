import type { NodeCounts, NodeInfo } from '../core/bus/node-info.js';

/** The description that a node publishes of itself. */
export interface NodeSelf {
  readonly id: string;
  readonly startedAt: Date;
  /** Returns the current counts; called for each announcement to other nodes. */
  readonly counts: () => NodeCounts;
}

/**
 * Lists the live nodes, and the counts of each.
 *
 * **Promised by an implementation:** a node is listed from the time `open` has settled until it closes, or until some time
 * after it has crashed or lost its connection to the others; the implementation defines that time. The data of other nodes
 * is their latest announcement. Reading a list costs no round trip to the nodes: its cost does not depend on what the nodes
 * are doing. This node is always listed, with its current counts. A node that was away and comes back announces its counts of
 * that time, not the earlier ones.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way.
 *
 * **Errors:** `nodes` does not reject; while the others are unreachable it returns the last known list. `counts`
 * rejects with `UNAVAILABLE` if the counts cannot be read at the moment.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 *
 * **Not promised:** that a listed node is still alive, and that two nodes see the same list at the same time.
 */
export abstract class NodeDirectory {
  /** Lists this node from now on. */
  abstract open(self: NodeSelf): void | Promise<void>;
  /** The live nodes, this node included. */
  abstract nodes(): readonly NodeInfo[] | Promise<readonly NodeInfo[]>;
  /** The counts over all nodes; a user or a topic of several nodes counts once. */
  abstract counts(): NodeCounts | Promise<NodeCounts>;
  /** Takes this node off the list. */
  abstract close(): void | Promise<void>;
}
