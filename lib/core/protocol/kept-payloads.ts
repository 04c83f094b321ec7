import { textHeapBytes } from './heap-estimate.js';

/**
 * The payloads of the accepted subscriptions of one connection, by which the topics are judged again. They are kept as JSON,
 * because pipes and handlers may change the object that they are given. They have a bound, because a client may send one for
 * each of its topics and each may be as large as a message.
 */
export class KeptPayloads {
  readonly #texts = new Map<string, string>();
  #bytes = 0;

  /** @param maxBytes the bound for all of them, in bytes of heap as estimated; a single payload of any size has room */
  constructor(private readonly maxBytes: number) {}

  /** Returns the estimated bytes of heap that the payloads take. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns false if the payload would exceed the bound in place of the topic's present one. */
  hasRoomFor(topic: string, payload: string): boolean {
    const others = this.#bytes - this.#bytesOf(topic);
    return others === 0 || others + textHeapBytes(payload.length) <= this.maxBytes;
  }

  /** @param payload as JSON */
  keep(topic: string, payload: string): void {
    this.#bytes += textHeapBytes(payload.length) - this.#bytesOf(topic);
    this.#texts.set(topic, payload);
  }

  /** Returns a new copy of the topic's payload; `undefined` if it has none. */
  of(topic: string): unknown {
    const kept = this.#texts.get(topic);
    return kept === undefined ? undefined : JSON.parse(kept);
  }

  delete(topic: string): void {
    this.#bytes -= this.#bytesOf(topic);
    this.#texts.delete(topic);
  }

  #bytesOf(topic: string): number {
    const kept = this.#texts.get(topic);
    return kept === undefined ? 0 : textHeapBytes(kept.length);
  }
}
