import { endsInHalfPair, utf8Cut, utf8Size } from '../base/utf8-size.js';
import type { StreamItem } from './stream-item.js';

/** An item that can be sent. */
type Sendable = Exclude<StreamItem, { kind: 'lost' }>;

/**
 * Joins the items of a stream into batches of at most `maxBytes`. Strings that follow each other become one string, whose size is
 * that of its UTF-8; other items count as their JSON. A string that does not fit goes into the next batch; one that is larger than a
 * batch is cut, never inside a surrogate pair. Any other item that is larger than a batch is one of its own. Mutable; one owner
 * changes it.
 */
export class StreamBatch {
  /** The items before the text that is being joined, as JSON. */
  #items: string[] = [];
  #text = '';
  /** The first half of a surrogate pair, which waits for the second one. */
  #half = '';
  #bytes = 0;

  /** @param maxBytes at least 4 */
  constructor(private readonly maxBytes: number) {}

  /** True if there is nothing to flush. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Adds an item. @returns the batches that it has filled, each as the JSON text of an array */
  add(item: Sendable): readonly string[] {
    if (item.kind === 'value') return [...this.#endHalf(), ...this.#addValue(item.json)];
    const text = this.#half + item.text;
    const isHalf = endsInHalfPair(text);
    this.#half = isHalf ? text.slice(-1) : '';
    return this.#addText(isHalf ? text.slice(0, -1) : text);
  }

  /** Takes what has been collected; half a surrogate pair keeps waiting. @returns nothing if there is nothing */
  flush(): readonly string[] {
    if (this.isEmpty) return [];
    const items = this.#text === '' ? this.#items : [...this.#items, JSON.stringify(this.#text)];
    this.#items = [];
    this.#text = '';
    this.#bytes = 0;
    return [`[${items.join()}]`];
  }

  /** Takes all that is left: nothing follows. */
  end(): readonly string[] {
    return [...this.#endHalf(), ...this.flush()];
  }

  #endHalf(): readonly string[] {
    const half = this.#half;
    this.#half = '';
    return half === '' ? [] : this.#addText(half);
  }

  #addText(text: string): readonly string[] {
    let bytes = utf8Size(text);
    const batches = this.#bytes + bytes > this.maxBytes ? [...this.flush()] : [];
    let start = 0;
    while (bytes > this.maxBytes) {
      const end = utf8Cut(text, start, this.maxBytes);
      const part = text.slice(start, end);
      batches.push(`[${JSON.stringify(part)}]`);
      bytes -= utf8Size(part);
      start = end;
    }
    this.#text += text.slice(start);
    return [...batches, ...this.#grown(bytes)];
  }

  #addValue(json: string): readonly string[] {
    const bytes = utf8Size(json);
    const before = this.#bytes + bytes > this.maxBytes ? this.flush() : [];
    if (this.#text !== '') this.#items.push(JSON.stringify(this.#text));
    this.#text = '';
    this.#items.push(json);
    return [...before, ...this.#grown(bytes)];
  }

  #grown(bytes: number): readonly string[] {
    this.#bytes += bytes;
    return this.#bytes >= this.maxBytes ? this.flush() : [];
  }
}
