import type { BusFrame, ReachedCount } from '../../../core/bus/bus-frame.js';
import type { RedisChannels } from '../connection/redis-channels.js';
import type { RedisTransport } from '../connection/redis-transport.js';

/** Most answers in one frame. */
const MAX_COUNTS = 4_096;

/** The answers to one node. */
interface Answers {
  readonly counts: ReachedCount[];
  /** For how many connections messages were left out; few have any. */
  readonly dropped: Map<number, number>;
}

/** Batches the answers of one turn of the event loop: all answers to one node go into one frame. */
export class AnswerBatch {
  readonly #answers = new Map<string, Answers>();
  #isScheduled = false;

  constructor(
    private readonly channels: RedisChannels,
    private readonly transport: RedisTransport,
  ) {}

  /**
   * @param origin the node that receives the answer
   * @param dropped the number of connections that the message was left out for
   */
  add(origin: string, count: ReachedCount, dropped = 0): void {
    let answers = this.#answers.get(origin);
    if (answers === undefined) this.#answers.set(origin, (answers = { counts: [], dropped: new Map() }));
    answers.counts.push(count);
    if (dropped > 0) answers.dropped.set(count[0], dropped);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    for (const [origin, { counts, dropped }] of this.#answers) {
      const frameOf = (part: readonly ReachedCount[]) => this.#frameOf(part, dropped);
      for (let i = 0; i < counts.length; i += MAX_COUNTS) {
        const part = counts.slice(i, i + MAX_COUNTS);
        this.transport.sayAll(this.channels.answersTo(origin), part, frameOf);
      }
    }
    this.#answers.clear();
  };

  #frameOf(counts: readonly ReachedCount[], dropped: ReadonlyMap<number, number>): BusFrame {
    const leftOut = dropped.size === 0 ? [] : counts.filter(([about]) => dropped.has(about));
    return {
      kind: 'reached',
      ...this.transport.next(),
      counts,
      ...(leftOut.length > 0 && { dropped: leftOut.map(([about]) => [about, dropped.get(about)!] as const) }),
    };
  }
}
