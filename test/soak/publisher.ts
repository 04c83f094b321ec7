import type { Said } from '../faults/load/node/rooms.js';
import type { SeededRandom } from '../faults/load/seeded-random.js';
import { Line } from '../helpers/line.js';
import { ROOMS } from './rooms.js';
import type { Stage } from './stage.js';

/** Somebody who talks, as fast as the limits allow, and writes down what was acknowledged. */
export class Publisher {
  constructor(
    private readonly stage: Stage,
    private readonly name: string,
    private readonly random: SeededRandom,
  ) {}

  async publish(): Promise<void> {
    while (!this.stage.isOver) {
      const { port, pid } = this.stage.node;
      const line = await Line.open(port, this.name);
      if (line) await this.#talk(line, pid);
      await this.stage.pause(100 + this.random.below(400));
    }
  }

  async #talk(line: Line, node: number): Promise<void> {
    const { ledger } = this.stage;
    for (const topic of ROOMS) await line.ask({ action: 'subscribe', topic });
    while (line.isOpen && !this.stage.isOver) {
      const topic = this.random.pick(ROOMS);
      const text = 'x'.repeat(this.random.below(500));
      const answer = await line.ask({ action: 'message', topic, type: 'say', payload: text });
      if (answer === 'late') ledger.report('unanswered', `${this.name}: say`);
      else if (answer !== 'closed') {
        if (answer.type === 'realtime:reply') {
          const { place, to } = answer.payload as Said;
          ledger.acknowledge(node, topic, place, to);
        } else ledger.report('unanswered', `${this.name}: ${answer.payload.code}`);
      }
      // 20 commands a second are allowed.
      await this.stage.pause(60 + this.random.below(80));
    }
    line.close();
    await line.closed;
  }
}
