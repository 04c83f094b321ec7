import { FaultNode, type ProcessEnd } from '../faults/load/fault-node.js';
import type { NodeSpec } from '../faults/load/node/node-control.js';

/** Nodes in processes of their own, over one Redis; another may take the place of each. */
export class NodeProcesses {
  readonly #nodes: FaultNode[] = [];

  private constructor(private readonly specOf: (index: number) => NodeSpec) {}

  /**
   * Starts so many, and waits until they listen. Whoever calls this ends them.
   * @param spec of all, or of the one with this index
   */
  static async start(spec: NodeSpec | ((index: number) => NodeSpec), count = 3): Promise<NodeProcesses> {
    const processes = new NodeProcesses(typeof spec === 'function' ? spec : () => spec);
    try {
      const start = async (index: number) =>
        void (processes.#nodes[index] = await FaultNode.start(processes.specOf(index)));
      await Promise.all(Array.from({ length: count }, (_, index) => start(index)));
    } catch (error) {
      await processes.kill();
      throw error;
    }
    return processes;
  }

  /** Those there are at the moment. */
  get nodes(): readonly FaultNode[] {
    return this.#nodes;
  }

  /** Ends one, starts another in its place, and waits until that listens. @returns how the first one ended, and how long it took */
  async replace(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<ProcessEnd & { readonly ms: number }> {
    const start = performance.now();
    const node = this.#nodes[index]!;
    node.signal(signal);
    const end = await node.ended;
    const ms = performance.now() - start;
    this.#nodes[index] = await FaultNode.start(this.specOf(index));
    return { ...end, ms };
  }

  /** Ends all at once. */
  async kill(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
  }
}
