import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import type { Order, Stay } from '../checker/record.js';
import type { Nodes } from './nodes.js';
import type { RunLog } from './run-log.js';

const PATIENCE_MS = 2_000;
const CONNECTIONS = 3;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A user whom somebody disconnects again and again, on whichever node, and who comes back each time. */
export class Exile {
  readonly orders: Order[] = [];
  readonly stays: Writable<Stay>[] = [];
  readonly #lines = new Set<Line>();
  #isOver = false;
  readonly #acting: Promise<unknown>;

  constructor(
    private readonly userId: string,
    private readonly nodes: Nodes,
    private readonly random: SeededRandom,
    private readonly log: RunLog,
  ) {
    this.#acting = Promise.all([this.#give(), ...Array.from({ length: CONNECTIONS }, () => this.#travel())]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#lines.forEach((line) => line.close());
    await this.#acting;
  }

  async #give(): Promise<void> {
    const { userId } = this;
    while (!this.#isOver) {
      await delay(500 + this.random.below(2_000));
      if (this.#isOver) return;
      const begun = this.log.now();
      const report = await this.random
        .pick(this.nodes.all)
        .ask('disconnect', userId)
        .catch(() => undefined);
      // Its end is not written down any more.
      if (this.#isOver) return;
      this.orders.push({ userId, begun, ended: this.log.now(), complete: report?.complete === true });
    }
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      const { port, pid } = this.random.pick(this.nodes.all);
      const line = await Line.open(port, this.userId, PATIENCE_MS);
      if (line) await this.#visit(line, pid);
      await delay(this.random.below(500));
    }
  }

  async #visit(line: Line, node: number): Promise<void> {
    this.#lines.add(line);
    if (this.#isOver) line.close();
    if (await line.welcomed) {
      const stay: Writable<Stay> = { userId: this.userId, node, opened: this.log.now() };
      this.stays.push(stay);
      await line.closed;
      stay[this.#isOver ? 'left' : 'closed'] = this.log.now();
    }
    await line.closed;
    this.#lines.delete(line);
  }
}
