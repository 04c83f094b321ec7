import { InMemoryNodeDirectory } from '../../lib/adapters/in-memory/in-memory-node-directory.js';
import type { NodeDirectory } from '../../lib/ports/node-directory.js';
import { nodeDirectoryContract, sharedNodeDirectoryContract } from '../../lib/testing/contracts/index.js';
import { Hub, HubDirectory } from './hub.js';
import { canBeBroken, keepsItsContract, twinOf } from './prove.js';

const twin = (change: (real: NodeDirectory) => Partial<NodeDirectory>) =>
  twinOf<NodeDirectory>(() => new InMemoryNodeDirectory(), change);

/** Directories that share a hub of their own; `change` is told how many there were before. */
const sharedTwin = (change: (real: NodeDirectory, index: number) => Partial<NodeDirectory>) => {
  const hub = new Hub();
  let index = 0;
  return twinOf<NodeDirectory>(
    () => new HubDirectory(hub),
    (real) => change(real, index++),
  );
};

const hub = new Hub();
keepsItsContract('InMemoryNodeDirectory', nodeDirectoryContract, () => new InMemoryNodeDirectory());
keepsItsContract('HubDirectory', sharedNodeDirectoryContract, () => new HubDirectory(hub));

canBeBroken(nodeDirectoryContract, {
  'lists this node, with when it started and what it holds': twin(() => ({ nodes: () => [] })),
  'lists what this node holds now': twin((real) => ({
    open(self) {
      const before = self.counts();
      return real.open({ ...self, counts: () => before });
    },
  })),
  'counts what this node holds': twin((real) => ({
    counts: async () => ({ ...(await real.counts()), users: 0 }),
  })),
  'lists nobody after it was closed': twin(() => ({ close: () => {} })),
});

canBeBroken(sharedNodeDirectoryContract, {
  'lists the other nodes': sharedTwin((real) => ({ nodes: async () => (await real.nodes()).slice(0, 1) })),
  'lists each node once, itself included': sharedTwin((real) => ({
    nodes: async () => (await real.nodes()).toSpliced(0, 1, ...(await real.nodes()).slice(1)),
  })),
  'lists when the others started, and what they hold': sharedTwin((real) => ({
    nodes: async () => (await real.nodes()).map((node) => ({ ...node, startedAt: new Date(0) })),
  })),
  'takes a node that has closed off the list': sharedTwin(() => ({ close: () => {} })),
  'adds up connections and subscriptions': sharedTwin((real) => ({
    counts: async () => (await real.nodes())[0]!,
  })),
});
