import type { FaultNode } from '../../faults/load/fault-node.js';
import type { NodeSpec } from '../../faults/load/node/node-control.js';
import { NodeProcesses } from '../../resuming/node-processes.js';
import type { Absence } from '../checker/record.js';
import type { RunLog } from './run-log.js';

/** How long a node may take to be attached again after a fault, in milliseconds: its backoff, and a slow machine. */
const ATTACHED_MS = 10_000;

/** The three node processes of a run, and when each was away. */
export class Nodes {
  readonly absences: Absence[] = [];
  readonly breaks: { readonly what: string; readonly at: number }[] = [];
  /** When nodes ended, in order. */
  readonly ends: number[] = [];
  readonly #told = new Set<number>();

  private constructor(
    private readonly processes: NodeProcesses,
    private readonly log: RunLog,
  ) {
    this.all.forEach((node) => this.#watch(node));
  }

  static async start(specOf: (index: number) => NodeSpec, log: RunLog): Promise<Nodes> {
    return new Nodes(await NodeProcesses.start(specOf), log);
  }

  get all(): readonly FaultNode[] {
    return this.processes.nodes;
  }

  /** Ends one and starts another in its place. */
  async replace(index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { pid } = this.all[index]!;
    this.#told.add(pid);
    const replaced = await this.processes.replace(index, signal).catch((error: unknown) => {
      // It has no successor: what follows tells nothing more of this place.
      this.breaks.push({
        what: `in place of node ${pid}, none could be started: ${String(error)}`,
        at: this.log.now(),
      });
      throw error;
    });
    const { code, signal: by, ms } = replaced;
    this.log.note(
      `node ${pid} ended by ${by ?? code} after ${Math.round(ms)} ms; ${this.all[index]!.pid} in its place`,
    );
    if (by !== signal) this.breaks.push({ what: `${signal} ended node ${pid} with ${code}`, at: this.log.now() });
    this.#watch(this.all[index]!);
  }

  /** Notes that these are away for the time of a fault. */
  async away(nodes: readonly FaultNode[], fault: () => Promise<unknown>): Promise<void> {
    const from = this.log.now();
    // Nobody knows yet when it ends.
    const open = nodes.map(({ pid }) => ({ node: pid, from, over: Infinity, to: Infinity }));
    this.absences.push(...open);
    try {
      await fault();
    } finally {
      for (const absence of open) {
        absence.over = this.log.now();
        absence.to = absence.over + ATTACHED_MS;
      }
    }
  }

  /** Ends all as an operator does. @returns what went wrong */
  async close(withinMs: number): Promise<readonly string[]> {
    const ends = this.all.map(async (node) => {
      this.#told.add(node.pid);
      const start = performance.now();
      node.signal('SIGTERM');
      const { code, signal } = await node.ended;
      const ms = performance.now() - start;
      if (signal === 'SIGTERM' && ms <= withinMs) return [];
      return [`node ${node.pid} ended with ${signal ?? code}, ${Math.round(ms)} ms after SIGTERM`];
    });
    return (await Promise.all(ends)).flat();
  }

  async kill(): Promise<void> {
    this.all.forEach(({ pid }) => this.#told.add(pid));
    await this.processes.kill();
  }

  #watch(node: FaultNode): void {
    void node.ended.then(({ code, signal }) => {
      this.ends.push(this.log.now());
      if (this.#told.has(node.pid)) return undefined;
      this.breaks.push({ what: `node ${node.pid} ended by itself with ${signal ?? code}`, at: this.log.now() });
      return undefined;
    });
  }
}
