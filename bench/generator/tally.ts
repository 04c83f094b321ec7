import { age, eachStamp, StampReader } from './client-frame.js';
import { LatencyHistogram } from './latency-histogram.js';

/** Counts what all clients together have received. */
export class Tally {
  reads = 0;
  messages = 0;
  payloadBytes = 0;
  readonly latency = new LatencyHistogram();
  readonly #stamps = new StampReader();
  #every = 1;
  /** Frames may have several items, each of which counts. */
  countsItems = false;

  /** From now on the latency of every so manieth message is taken, and what was taken before is forgotten. */
  sample(every: number): void {
    this.#every = every;
    this.latency.clear();
  }

  /** Counts one that was looked at elsewhere. */
  count(text: string): void {
    this.messages += 1;
    this.payloadBytes += text.length;
  }

  /** @returns how many messages, or items, the frame has */
  add(buffer: Buffer, start: number, end: number): number {
    if (this.countsItems) return this.#addItems(buffer, start, end);
    this.messages += 1;
    this.payloadBytes += end - start;
    if (this.messages % this.#every !== 0) return 1;
    const stamped = this.#stamps.read(buffer, start, end);
    if (stamped === undefined) throw new Error(`No message of ours: ${buffer.toString('utf8', start, end)}`);
    this.latency.add(age(stamped, performance.now()));
    return 1;
  }

  #addItems(buffer: Buffer, start: number, end: number): number {
    const now = performance.now();
    const count = eachStamp(buffer, start, end, (stamped) => this.latency.add(age(stamped, now)));
    // The end of a stream has none.
    if (count === 0) return 0;
    this.messages += count;
    this.payloadBytes += end - start;
    return count;
  }
}
