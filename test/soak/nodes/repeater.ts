import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import type { Position } from '../../resuming/journal.js';
import type { Repetition } from '../checker/record.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

const TOPIC = 'log:keys';

/** Publishes with an idempotency key, and the same again some time later on another node. */
export class Repeater {
  readonly repetitions: Repetition[] = [];
  #isOver = false;
  readonly #acting: Promise<void>;

  constructor(
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    private readonly log: RunLog,
  ) {
    this.#acting = this.#act();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#acting;
  }

  async #act(): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const key = `repeated-${n}`;
      const first = await this.#publish(key);
      await delay(this.random.below(1_000));
      const again = await this.#publish(key);
      if (first && again) this.repetitions.push({ key, first, again, at: this.log.now() });
    }
  }

  async #publish(idempotencyKey: string): Promise<Position | undefined> {
    const node = this.random.pick(this.nodes.all);
    const message = { type: 'said', payload: { key: idempotencyKey } };
    const report = await node.publish(TOPIC, message, { idempotencyKey }).catch(() => undefined);
    return report && { epoch: report.epoch!, offset: report.offset! };
  }
}
