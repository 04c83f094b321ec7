import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../faults/load/seeded-random.js';
import type { RedisServer } from '../helpers/redis-server.js';
import type { NodeProcesses } from '../resuming/node-processes.js';
import type { Trial } from '../resuming/trial.js';

/** How long something goes well between two faults, in milliseconds. */
const CALM_MS = [1_000, 4_000] as const;

/** Breaks something every now and then, of three nodes and their Redis; each thing about as often as the others. */
export class ClusterNemesis {
  /** How often which fault struck. */
  readonly faults: Record<string, number> = {};
  readonly #repertoire: Record<string, () => Promise<unknown>> = {
    'a node is killed': () => this.processes.replace(this.random.below(this.processes.nodes.length), 'SIGKILL'),
    'a node is told to end': () => this.processes.replace(this.random.below(this.processes.nodes.length), 'SIGTERM'),
    'a node halts': () => this.#haltNode(),
    'Redis is killed': () => this.#killRedis(),
    'Redis is killed after it has saved': async () => {
      await this.redis.cli('SAVE');
      await delay(this.#between(200, 1_000));
      await this.#killRedis();
    },
    'Redis halts': () => this.#haltRedis(),
    'Redis is emptied': () => this.redis.cli('FLUSHALL'),
    'Redis ends the connections for subscriptions': () => this.redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB'),
    'clients are cut off': async () => this.#cutClients(),
  };

  constructor(
    private readonly redis: RedisServer,
    private readonly processes: NodeProcesses,
    private readonly trials: readonly Trial[],
    private readonly random: SeededRandom,
  ) {}

  async strike(forMs: number): Promise<void> {
    const end = performance.now() + forMs;
    let left: string[] = [];
    while (performance.now() < end) {
      await delay(Math.min(this.#between(...CALM_MS), Math.max(0, end - performance.now())));
      if (left.length === 0) left = Object.keys(this.#repertoire);
      const fault = this.random.pick(left);
      left = left.filter((other) => other !== fault);
      this.faults[fault] = (this.faults[fault] ?? 0) + 1;
      await this.#repertoire[fault]!();
    }
  }

  async #haltNode(): Promise<void> {
    const node = this.random.pick(this.processes.nodes);
    node.signal('SIGSTOP');
    await delay(this.#between(1_000, 5_000));
    node.signal('SIGCONT');
  }

  /** It comes back with what it has saved, if ever it has. */
  async #killRedis(): Promise<void> {
    await this.redis.kill();
    await delay(this.#between(0, 1_000));
    await this.redis.restart();
  }

  async #haltRedis(): Promise<void> {
    this.redis.pause();
    await delay(this.#between(500, 5_000));
    this.redis.resume();
  }

  #cutClients(): void {
    for (const { resumers } of this.trials) {
      for (const resumer of resumers) if (this.random.below(2) === 0) resumer.cut();
    }
  }

  #between(least: number, most: number): number {
    return least + this.random.below(most - least);
  }
}
