import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { Line } from '../../helpers/line.js';

/** A message of {@link Traffic} as it arrived. */
export interface Arrival {
  /** The publisher, and the number of the message there. */
  readonly key: string;
  /** How long it was under way, in milliseconds. */
  readonly tookMs: number;
}

/** Somebody who is subscribed to the topic `feed`, and writes down what arrives. */
export class Reader {
  readonly arrivals: Arrival[] = [];
  readonly #others: { readonly type: string }[] = [];
  #onFrame: () => void = () => undefined;

  private constructor(
    readonly line: Line,
    readonly id: string,
  ) {
    line.onFrame = ({ type, payload }) => {
      if (type === 'count') this.arrivals.push({ key: payload.key, tookMs: performance.now() - payload.at });
      else this.#others.push({ type });
      this.#onFrame();
    };
  }

  static async join(node: RealtimeApp, userId: string): Promise<Reader> {
    const line = await Line.open(Number(new URL(node.url).port), userId);
    const id = await line?.welcomed;
    if (!line || !id) throw new Error(`${userId} was not let in`);
    const reader = new Reader(line, id);
    await line.ask({ action: 'subscribe', topic: 'feed' });
    return reader;
  }

  /** How many messages of this type have arrived. */
  count(wanted: string): number {
    return this.#others.filter(({ type }) => type === wanted).length;
  }

  /** Resolves when a message of this type has arrived, however long ago. */
  async has(type: string): Promise<void> {
    while (this.count(type) === 0) {
      await new Promise<void>((resolve) => (this.#onFrame = resolve));
    }
  }
}
