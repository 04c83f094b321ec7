import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../faults/load/seeded-random.js';
import { Line } from '../../helpers/line.js';
import type { Infos } from './infos.js';
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
    private readonly infos: Infos,
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
    const connection = this.infos.connection();
    const closed = line.closed.then(() => {
      this.infos.gone(connection);
      return (this.#isIn = false);
    });
    line.onFrame = ({ type }) => type === 'realtime:unsubscribed' && line.close();
    this.#isIn = (await this.#enter(line, connection)) && line.isOpen;
    if (!this.#isIn || this.#isOver) line.close();
    const halfMs = 150 + this.random.below(2_000);
    await Promise.race([closed, delay(halfMs)]);
    if (this.random.below(3) === 0 && !this.#isStaying) await this.#enter(line, connection);
    await Promise.race([closed, this.#stayed(halfMs)]);
    if (line.isOpen) await this.#leave(this.random.pick(['unsubscribe', 'close', 'cut']), connection);
    await closed;
  }

  /** Subscribes with another info. */
  async #enter(line: Line, connection: number): Promise<boolean> {
    const given = this.infos.ask(this.topic, this.userId, connection);
    const answer = await line.ask({ action: 'subscribe', topic: this.topic, payload: given.info });
    const isIn = typeof answer === 'object' && answer.type === 'realtime:subscribed';
    if (isIn) this.infos.taken(given);
    return isIn;
  }

  async #stayed(ms: number): Promise<void> {
    await delay(ms);
    while (this.#isStaying && !this.#isOver && this.#line?.isOpen) await delay(100);
  }

  async #leave(how: 'unsubscribe' | 'close' | 'cut', connection?: number): Promise<void> {
    const line = this.#line;
    if (connection !== undefined) this.infos.gone(connection);
    if (how === 'unsubscribe') await line?.ask({ action: 'unsubscribe', topic: this.topic });
    this.#isIn = false;
    if (how === 'cut') line?.cut();
    else line?.close();
  }
}
