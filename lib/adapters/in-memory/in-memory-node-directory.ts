import type { NodeCounts, NodeInfo } from '../../core/bus/node-info.js';
import { NodeDirectory, type NodeSelf } from '../../ports/node-directory.js';

const NOTHING: NodeCounts = { connections: 0, users: 0, topics: 0, subscriptions: 0 };

/** A node directory that lists only this node. */
export class InMemoryNodeDirectory extends NodeDirectory {
  #self: NodeSelf | undefined;

  open(self: NodeSelf): void {
    this.#self = self;
  }

  nodes(): readonly NodeInfo[] {
    if (!this.#self) return [];
    const { id, startedAt, counts } = this.#self;
    return [{ id, startedAt, isAttached: true, ...counts() }];
  }

  counts(): NodeCounts {
    return this.#self?.counts() ?? NOTHING;
  }

  close(): void {
    this.#self = undefined;
  }
}
