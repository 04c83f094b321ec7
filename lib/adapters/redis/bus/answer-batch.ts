import type { BusFrame, ReachedCount } from '../../../core/bus/bus-frame.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import type { RedisTransport } from '../connection/redis-transport.js';

/** Most answers in one frame. */
const MAX_COUNTS = 4_096;

/** Batches the answers of one turn of the event loop: all answers to one node go into one frame. */
export class AnswerBatch {
  readonly #counts = new Map<string, ReachedCount[]>();
  #isScheduled = false;

  constructor(
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
  ) {}

  /** @param origin the node that receives the answer */
  add(origin: string, count: ReachedCount): void {
    const counts = this.#counts.get(origin);
    if (counts) counts.push(count);
    else this.#counts.set(origin, [count]);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    for (const [origin, counts] of this.#counts) {
      for (let i = 0; i < counts.length; i += MAX_COUNTS) {
        const part = counts.slice(i, i + MAX_COUNTS);
        this.transport.sayAll(this.channels.answersTo(origin), part, this.#frameOf);
      }
    }
    this.#counts.clear();
  };

  readonly #frameOf = (counts: readonly ReachedCount[]): BusFrame => ({
    kind: 'reached',
    ...this.transport.next(),
    counts,
  });
}
