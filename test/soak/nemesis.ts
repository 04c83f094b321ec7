import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../faults/load/seeded-random.js';
import type { Reader } from './reader.js';
import { NOISY_ROOM } from './rooms.js';
import type { Stage } from './stage.js';

/** Breaks something every now and then; each thing about as often as the others. */
export class Nemesis {
  readonly faults: string[] = [];
  readonly #repertoire: Record<string, () => Promise<void>> = {
    'the event loop stands still': () => this.stage.node.ask('stall', this.#ms(1_000, 5_000)),
    'the process is frozen': () => this.#freeze(),
    'everybody is disconnected': () => this.stage.node.ask('disconnectAll'),
    'the network breaks down': async () => {
      for (const reader of this.readers) reader.cut();
    },
    'those who do not read are flooded': () => this.stage.node.ask('flood', NOISY_ROOM, 200, 16 * 1024),
    'the node is restarted': () => this.stage.restart(),
  };

  constructor(
    private readonly stage: Stage,
    private readonly readers: readonly Reader[],
    private readonly random: SeededRandom,
  ) {}

  /** @param gapMs the least time between two faults; at most it is three times as long */
  async strike(gapMs: number): Promise<void> {
    let left: string[] = [];
    while (!this.stage.isOver) {
      await this.stage.pause(this.#ms(gapMs, 3 * gapMs));
      if (this.stage.isOver) return;
      if (left.length === 0) left = Object.keys(this.#repertoire);
      const fault = this.random.pick(left);
      left = left.filter((other) => other !== fault);
      this.faults.push(fault);
      await this.#repertoire[fault]!();
    }
  }

  async #freeze(): Promise<void> {
    const { node } = this.stage;
    node.signal('SIGSTOP');
    await delay(this.#ms(1_000, 5_000));
    node.signal('SIGCONT');
  }

  #ms(least: number, most: number): number {
    return least + this.random.below(most - least);
  }
}
