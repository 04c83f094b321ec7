import { onTestFinished } from 'vitest';
import { FaultNode, type ProcessOptions } from './fault-node.js';
import type { NodeSpec } from './node/node-control.js';

/** Starts a node that is ended when the test has finished. */
export async function startNode(spec?: NodeSpec, options?: ProcessOptions): Promise<FaultNode> {
  const node = await FaultNode.start(spec, options);
  onTestFinished(() => node.kill());
  return node;
}
