import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { NodeCounts, NodeInfo } from '../../core/bus/node-info.js';
import type { NodeDirectory } from '../../ports/node-directory.js';
import type { ContractCase } from './contract-case.js';

/** Deadline for a change on one node to be visible on another, in milliseconds. */
const DEADLINE_MS = 2_000;

/**
 * Guarantees of every `NodeDirectory` on one node.
 * @publicApi
 */
export const nodeDirectoryContract: readonly ContractCase<NodeDirectory>[] = [
  directoryCase('lists this node, with when it started and what it holds', async (node) => {
    const { id, startedAt } = node;
    assert.deepEqual(await node.seen(), [{ id, startedAt, isAttached: true, ...HOLDS }]);
  }),
  directoryCase('lists what this node holds now', async (node) => {
    node.holds = { connections: 5, users: 4, topics: 3, subscriptions: 9 };
    const [self] = await node.directory.nodes();
    assert.equal(self?.subscriptions, 9);
  }),
  directoryCase('counts what this node holds', async (node) => {
    assert.deepEqual({ ...(await node.directory.counts()) }, HOLDS);
  }),
  directoryCase('lists nobody after it was closed', async (node) => {
    await node.close();
    assert.deepEqual(await node.directory.nodes(), []);
  }),
];

/**
 * Guarantees of every `NodeDirectory` that connects nodes. The directories that one case creates belong to nodes that know
 * of each other.
 * @publicApi
 */
export const sharedNodeDirectoryContract: readonly ContractCase<NodeDirectory>[] = [
  sharedCase('lists the other nodes', async (a, b) => {
    await a.sees((nodes) => nodes.some(({ id }) => id === b.id), 'the other node');
  }),
  sharedCase('lists each node once, itself included', async (a, b) => {
    await a.sees((nodes) => nodes.length === 2, 'two nodes');
    const ids = (await a.seen()).map(({ id }) => id);
    assert.deepEqual(ids.sort(), [a.id, b.id].sort());
  }),
  sharedCase('lists when the others started, and what they hold', async (a, b) => {
    const { id, startedAt } = b;
    await a.sees((nodes) => nodes.some((node) => node.id === id && node.isAttached), 'the other node');
    const other = (await a.seen()).find((node) => node.id === id);
    assert.deepEqual(other, { id, startedAt, isAttached: true, ...HOLDS });
  }),
  sharedCase('takes a node that has closed off the list', async (a, b) => {
    await a.sees((nodes) => nodes.length === 2, 'two nodes');
    await b.close();
    await a.sees((nodes) => nodes.length === 1, 'itself alone');
  }),
  sharedCase('adds up connections and subscriptions', async (a) => {
    await a.sees((nodes) => nodes.length === 2, 'two nodes');
    const { connections, subscriptions } = await a.directory.counts();
    assert.deepEqual({ connections, subscriptions }, { connections: 4, subscriptions: 8 });
  }),
];

const HOLDS: NodeCounts = { connections: 2, users: 1, topics: 3, subscriptions: 4 };

/** A node with one directory. */
class DirectoryNode {
  readonly id = randomUUID();
  readonly startedAt = new Date('2026-01-31T12:00:00.000Z');
  holds: NodeCounts = HOLDS;
  #isClosed = false;

  private constructor(readonly directory: NodeDirectory) {}

  static async run(
    create: () => NodeDirectory | Promise<NodeDirectory>,
    use: (node: DirectoryNode) => Promise<void>,
  ): Promise<void> {
    const node = new DirectoryNode(await create());
    await node.directory.open({ id: node.id, startedAt: node.startedAt, counts: () => node.holds });
    try {
      await use(node);
    } finally {
      await node.close();
    }
  }

  async seen(): Promise<NodeInfo[]> {
    return [...(await this.directory.nodes())];
  }

  /** Resolves when the list passes the test. Rejects after 2 s. */
  async sees(test: (nodes: readonly NodeInfo[]) => boolean, expected: string): Promise<void> {
    let isOver = false;
    const deadline = setTimeout(() => (isOver = true), DEADLINE_MS);
    try {
      while (!test(await this.directory.nodes())) {
        if (isOver) assert.fail(`${expected} should have been listed within ${DEADLINE_MS} ms`);
        await new Promise(setImmediate);
      }
    } finally {
      clearTimeout(deadline);
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.directory.close();
  }
}

function directoryCase(name: string, use: (node: DirectoryNode) => Promise<void>): ContractCase<NodeDirectory> {
  return { name, run: (create) => DirectoryNode.run(create, use) };
}

function sharedCase(
  name: string,
  use: (a: DirectoryNode, b: DirectoryNode) => Promise<void>,
): ContractCase<NodeDirectory> {
  return { name, run: (create) => DirectoryNode.run(create, (a) => DirectoryNode.run(create, (b) => use(a, b))) };
}
