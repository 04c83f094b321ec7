import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import type { Nodes } from './nodes.js';

const PATIENCE_MS = 2_000;

/** Comes to a topic with presence, stays a while, and leaves in one of the ways there are; until it is told where to stay. */
export class Guest {
  #line: Line | undefined;
  #isIn = false;
  #isStaying = false;
  #isOver = false;
  readonly #travelling: Promise<void>;

  constructor(
    readonly userId: string,
    readonly topic: string,
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
  ) {
    this.#travelling = this.#travel();
  }

  get isIn(): boolean {
    return this.#isIn;
  }

  cut(): void {
    this.#line?.cut();
  }

  /** From now on it comes and stays. */
  stay(): void {
    this.#isStaying = true;
  }

  /** It leaves for good. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#leave('close');
    await this.#travelling;
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      const line = (this.#line = await Line.open(this.random.pick(this.nodes.all).port, this.userId, PATIENCE_MS));
      if (line) await this.#visit(line);
      if (!this.#isOver) await delay(this.random.below(this.#isStaying ? 100 : 1_500));
    }
  }

  async #visit(line: Line): Promise<void> {
    const closed = line.closed.then(() => (this.#isIn = false));
    line.onFrame = ({ type }) => type === 'realtime:unsubscribed' && line.close();
    const answer = await line.ask({ action: 'subscribe', topic: this.topic });
    this.#isIn = typeof answer === 'object' && answer.type === 'realtime:subscribed' && line.isOpen;
    if (!this.#isIn || this.#isOver) line.close();
    await Promise.race([closed, this.#stayed(300 + this.random.below(4_000))]);
    if (line.isOpen) await this.#leave(this.random.pick(['unsubscribe', 'close', 'cut']));
    await closed;
  }

  async #stayed(ms: number): Promise<void> {
    await delay(ms);
    while (this.#isStaying && !this.#isOver && this.#line?.isOpen) await delay(100);
  }

  async #leave(how: 'unsubscribe' | 'close' | 'cut'): Promise<void> {
    const line = this.#line;
    if (how === 'unsubscribe') await line?.ask({ action: 'unsubscribe', topic: this.topic });
    this.#isIn = false;
    if (how === 'cut') line?.cut();
    else line?.close();
  }
}
