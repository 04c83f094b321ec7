import { setTimeout as delay } from 'node:timers/promises';
import { Line } from '../../helpers/line.js';

/** A client that comes back when it is sent away, to whichever node lets it in. */
export class Traveller {
  /** The numbers that arrived in each of its visits, in their order. */
  readonly visits: number[][] = [];
  #line: Line | undefined;
  #isOver = false;
  readonly #travelling: Promise<void>;

  /** @param ports where there are nodes at the moment */
  constructor(
    private readonly userId: string,
    private readonly ports: () => readonly number[],
  ) {
    this.#travelling = this.#travel();
  }

  /** Goes home. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#line?.close();
    await this.#travelling;
  }

  async #travel(): Promise<void> {
    while (!this.#isOver) {
      await this.#visit();
      // As clients should, not all at the same moment.
      await delay(Math.random() * 100);
    }
  }

  async #visit(): Promise<void> {
    const ports = this.ports();
    const line = await Line.open(ports[Math.floor(Math.random() * ports.length)]!, this.userId);
    if (!line) return;
    this.#line = line;
    const numbers: number[] = [];
    this.visits.push(numbers);
    line.onFrame = ({ type, payload }) => {
      if (type === 'count') numbers.push(payload as number);
    };
    await line.ask({ action: 'subscribe', topic: 'feed' });
    if (this.#isOver) line.close();
    await line.closed;
  }
}
