import { StreamBatch } from './stream-batch.js';
import type { StreamItem } from './stream-item.js';
import { endText, pieceText, type StreamEnd, type StreamName } from './stream-piece.js';

/** One publication of a stream. */
export interface StreamPublication {
  /** Its number in the stream, from 0. */
  readonly seq: number;
  /** The message. */
  readonly text: string;
}

/**
 * Turns the items of a stream into its publications: numbered without a gap, and nothing after the end. Mutable; one owner
 * changes it.
 */
export class StreamPieces {
  readonly #batch: StreamBatch;
  #seq = 0;
  #hasEnded = false;

  /** @param maxBytes of items in one publication, at least 4 */
  constructor(
    private readonly stream: StreamName,
    maxBytes: number,
  ) {
    this.#batch = new StreamBatch(maxBytes);
  }

  /** True if there is nothing to flush. */
  get isEmpty(): boolean {
    return this.#batch.isEmpty;
  }

  /** Adds an item. @returns the publications that it has filled */
  add(item: Exclude<StreamItem, { kind: 'lost' }>, timestamp: string): readonly StreamPublication[] {
    return this.#hasEnded ? [] : this.#numbered(this.#batch.add(item), timestamp);
  }

  /** Takes what has been collected. */
  flush(timestamp: string): readonly StreamPublication[] {
    return this.#numbered(this.#batch.flush(), timestamp);
  }

  /** Ends the stream. @returns what was left, and the end */
  end(end: StreamEnd, timestamp: string): readonly StreamPublication[] {
    if (this.#hasEnded) return [];
    this.#hasEnded = true;
    const left = this.#numbered(this.#batch.end(), timestamp);
    return [...left, { seq: this.#seq, text: endText(this.stream, this.#seq, end, timestamp) }];
  }

  #numbered(batches: readonly string[], timestamp: string): readonly StreamPublication[] {
    return batches.map((items) => ({
      seq: this.#seq,
      text: pieceText(this.stream, this.#seq++, items, timestamp),
    }));
  }
}
