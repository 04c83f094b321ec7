import type { NodeCounts, NodeInfo } from '../core/bus/node-info.js';

/** What a node tells about itself. */
export interface NodeSelf {
  readonly id: string;
  readonly startedAt: Date;
  /** What it holds now; asked whenever the others are told. */
  readonly counts: () => NodeCounts;
}

/**
 * Knows which nodes live, and how much each of them holds.
 *
 * **Promised by an implementation:** a node is listed from the time `open` has settled until it closes, or until a while
 * after it has crashed or lost its way to the others; how long is the implementation's to say. What is told of other
 * nodes is what they said last. Nobody is asked when a list is wanted: what it costs does not depend on what the nodes
 * are doing. This node is always listed, with what it holds now. A node that was away and comes back says what it holds
 * then, not what it held before.
 *
 * **Concurrency:** all methods may be called while earlier calls are under way.
 *
 * **Errors:** `nodes` does not reject; while the others cannot be heard of it tells what was known last. `counts`
 * rejects with `UNAVAILABLE` when nobody can tell at the moment.
 *
 * **Closing:** the module opens it once, after the bus, and closes it before the bus.
 *
 * **Not promised:** that a listed node still lives, and that two nodes see the same list at the same time.
 */
export abstract class NodeDirectory {
  /** Lists this node from now on. */
  abstract open(self: NodeSelf): void | Promise<void>;
  /** The nodes that live, this one among them. */
  abstract nodes(): readonly NodeInfo[] | Promise<readonly NodeInfo[]>;
  /** What all nodes hold together; a user or a topic that several of them have counts once. */
  abstract counts(): NodeCounts | Promise<NodeCounts>;
  /** Takes this node off the list. */
  abstract close(): void | Promise<void>;
}
