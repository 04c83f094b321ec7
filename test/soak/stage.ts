import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultNode } from '../faults/load/fault-node.js';
import type { Leftovers, NodeSpec } from '../faults/load/node/node-control.js';
import type { Ledger } from './ledger.js';

const DRAIN_MS = 5_000;

/** The deadline for the node to notice that all clients are gone. */
const EMPTIED_MS = 5_000;

/** Default limits, but for the one that all clients hit together because they are on one machine. */
const DEFAULTS: NodeSpec = {
  options: {
    token: { firstCommand: true },
    heartbeat: { intervalMs: 3_000, timeoutMs: 3_000 },
    drain: { timeoutMs: DRAIN_MS },
    limits: { maxUnauthenticatedPerIp: Infinity, authTimeoutMs: 3_000 },
  },
};

/** The stage of the soak test: one node, which another may replace, and the time available. */
export class Stage {
  #node: FaultNode;
  #before: Leftovers;
  #isRestarting = false;
  /** Over when the time is. */
  readonly over = new AbortController();

  private constructor(
    node: FaultNode,
    before: Leftovers,
    readonly ledger: Ledger,
    private readonly spec: NodeSpec,
  ) {
    // Everybody waits for it.
    setMaxListeners(0, this.over.signal);
    this.#node = node;
    this.#before = before;
    this.#watch(node);
  }

  /** @param more what the node is made of beyond the usual */
  static async open(ledger: Ledger, more: NodeSpec): Promise<Stage> {
    const spec = { ...DEFAULTS, ...more };
    const node = await FaultNode.start(spec);
    return new Stage(node, await node.ask('leftovers'), ledger, spec);
  }

  get node(): FaultNode {
    return this.#node;
  }

  get isOver(): boolean {
    return this.over.signal.aborted;
  }

  /** Waits; not longer than until it is over. */
  async pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.over.signal }).catch(() => undefined);
  }

  /** Ends the node as an operator does, and starts another. */
  async restart(): Promise<void> {
    const old = this.#node;
    await this.#noteErrors(old);
    this.#isRestarting = true;
    const start = performance.now();
    old.signal('SIGTERM');
    const { code, signal } = await old.ended;
    const ms = performance.now() - start;
    if (signal !== 'SIGTERM') this.ledger.report('unhandled', `SIGTERM ended the node with ${code ?? signal}`);
    if (ms > DRAIN_MS + 2_000) this.ledger.report('unhandled', `SIGTERM took ${Math.round(ms)} ms`);
    this.#node = await FaultNode.start(this.spec);
    this.#before = await this.#node.ask('leftovers');
    this.#isRestarting = false;
    this.#watch(this.#node);
  }

  /** Measures what remains after all clients have left, and ends the node. @returns the state before and after */
  async close(): Promise<{ readonly before: Leftovers; readonly after: Leftovers }> {
    const [before, after] = [this.#before, await this.#emptied()];
    const leaked = (what: string, count: number) => count > 0 && this.ledger.report('leaked', `${count} ${what}`);
    const { connections, users, topics, subscriptions } = await this.#node.ask('counts');
    leaked('in the registry', connections + users + topics + subscriptions);
    leaked('sessions and sockets', after.objects + after.openSockets);
    leaked('timers', after.timers - before.timers);
    // The additional memory of a node that has done everything once.
    leaked('bytes beyond 12 MiB', after.heapBytes - before.heapBytes - 12 * 2 ** 20);
    await this.#noteErrors(this.#node);
    this.#isRestarting = true;
    await this.#node.kill();
    return { before, after };
  }

  async #emptied(): Promise<Leftovers> {
    const deadline = performance.now() + EMPTIED_MS;
    for (;;) {
      const leftovers = await this.#node.ask('leftovers');
      if (leftovers.objects + leftovers.openSockets === 0 || performance.now() > deadline) return leftovers;
      await delay(250);
    }
  }

  async #noteErrors(node: FaultNode): Promise<void> {
    for (const error of await node.ask('errors')) this.ledger.report('unhandled', error);
  }

  #watch(node: FaultNode): void {
    void node.ended.then(({ code, signal }) => {
      if (!this.#isRestarting) this.ledger.report('unhandled', `The node ended with ${code ?? signal}`);
      return undefined;
    });
  }
}
