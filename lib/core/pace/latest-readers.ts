import { LatestValues } from './latest-values.js';
import { PaceWindows, type PaceWindow, type WindowEffects } from './pace-windows.js';

/** The answer of a reader that is offered a value: it took it, it is not meant, it can take none at the moment, or it is gone. */
export type Taking = 'taken' | 'passed' | 'blocked' | 'gone';

/** The effects of {@link LatestReaders}. */
export interface LatestEffects<V> extends WindowEffects<Reader> {
  /** Offers a reader a value. One that is blocked is offered values again after {@link LatestReaders.resume}. */
  offer(id: string, value: V): Taking;
}

interface Reader {
  readonly id: string;
  /** The latest change that it has got, or that was overtaken before it could. */
  seen: number;
  isBlocked: boolean;
  /** The change up to which it gets values at once when it can take them again: it was blocked in the middle of them. */
  until: number | undefined;
  /** The least time between two servings; 0 for none. */
  intervalMs: number;
  /** The interval that it waits for. */
  window: PaceWindow<Reader> | undefined;
  /** True while it is being served: what comes meanwhile is given to it by the call that serves it. */
  isServed: boolean;
}

/** The readers are counted anew when the number of kept keys has grown by so many, or doubled. */
const SPARE_KEYS = 64;

/**
 * The readers of the latest values of a topic. A reader gets a change at once, unless it is blocked or has got values within its
 * interval; then it gets the last value of each key that has changed once it can, in the order of the last change. Values that all
 * readers have got are forgotten, so that memory is keys and readers, not their product.
 *
 * A change is only recorded: the owner then serves the {@link ready} readers.
 */
export class LatestReaders<V> {
  readonly #values = new LatestValues<V>();
  readonly #readers = new Map<string, Reader>();
  readonly #ready = new Map<string, Reader>();
  readonly #windows: PaceWindows<Reader>;
  /** The number of readers that have got everything. */
  #current = 0;
  /** The values are trimmed when there are more keys than this. */
  #trimAbove = SPARE_KEYS;

  constructor(private readonly effects: LatestEffects<V>) {
    this.#windows = new PaceWindows(effects);
  }

  /** The number of readers. */
  get size(): number {
    return this.#readers.size;
  }

  /** The number of keys that are kept for readers that are behind. */
  get keys(): number {
    return this.#values.size;
  }

  /** The size of what is kept, in bytes. */
  get bytes(): number {
    return this.#values.bytes;
  }

  /** The readers that can be served now. It is live. */
  get ready(): ReadonlyMap<string, unknown> {
    return this.#ready;
  }

  /** All readers by id. It is live. */
  get all(): ReadonlyMap<string, unknown> {
    return this.#readers;
  }

  has(id: string): boolean {
    return this.#readers.has(id);
  }

  /** True if everything that has changed was given to the reader, or it is none. */
  isCurrent(id: string): boolean {
    const reader = this.#readers.get(id);
    return reader === undefined || reader.seen === this.#values.last;
  }

  /**
   * Adds a reader, which gets what changes from now on, or changes its interval.
   * @param intervalMs the least time between two servings; 0 for none
   * @returns true if it waits for no interval any more, so that it is to be served
   */
  enter(id: string, intervalMs: number): boolean {
    const known = this.#readers.get(id);
    if (known) return this.#changeInterval(known, intervalMs);
    const { last } = this.#values;
    const reader = {
      id,
      seen: last,
      isBlocked: false,
      until: undefined,
      intervalMs,
      window: undefined,
      isServed: false,
    };
    this.#readers.set(id, reader);
    this.#ready.set(id, reader);
    this.#current += 1;
    return false;
  }

  /** Withdraws what waits for a reader: it gets it in another way. */
  skip(id: string): void {
    const reader = this.#readers.get(id);
    if (reader) this.#advance(reader, this.#values.last);
    this.#trim();
  }

  /** Withdraws what waits for all readers. */
  skipAll(): void {
    const { last } = this.#values;
    for (const reader of this.#readers.values()) reader.seen = last;
    this.#current = this.#readers.size;
    this.#values.forget(last);
  }

  leave(id: string): void {
    const reader = this.#readers.get(id);
    if (reader === undefined) return;
    this.#readers.delete(id);
    this.#ready.delete(id);
    if (reader.seen === this.#values.last) this.#current -= 1;
    this.#windows.leave(reader);
    this.#trim();
  }

  /** Records the value of a key. @param bytes its size */
  change(key: string, value: V, bytes: number): void {
    if (this.#readers.size === 0) return;
    this.#values.set(key, value, bytes);
    this.#current = 0;
  }

  /**
   * Gives a reader that is ready what it has not got yet.
   * @param inHaste true: whether or not its window is over
   * @returns the number of values that were replaced before it could get them
   */
  serve(id: string, inHaste = false): number {
    const reader = inHaste ? this.#readers.get(id) : this.#ready.get(id);
    if (reader === undefined || reader.isBlocked || reader.isServed) return 0;
    const from = reader.seen;
    reader.isServed = true;
    const { taken, passed } = this.#offerAll(reader, inHaste ? Infinity : (reader.until ?? Infinity));
    reader.isServed = false;
    const hasBegun = taken > 0 || reader.until !== undefined;
    if (hasBegun && this.#readers.get(id) === reader) this.#pauseOrGoOn(reader);
    this.#trim();
    return reader.seen - from - taken - passed;
  }

  /** A reader that was blocked can take values again. @returns true if it is ready to be served */
  resume(id: string): boolean {
    const reader = this.#readers.get(id);
    if (reader === undefined) return false;
    reader.isBlocked = false;
    if (reader.until === undefined && reader.window) return false;
    this.#ready.set(id, reader);
    return true;
  }

  /** Counts a reader as served, which has got something beside the values. */
  pause(id: string): void {
    const reader = this.#readers.get(id);
    if (reader) this.#served(reader);
  }

  /** Ends a window. @returns the readers that have become ready and are behind: only they need to be served */
  endWindow(window: PaceWindow<Reader>): ReadonlySet<string> {
    const behind = new Set<string>();
    for (const reader of this.#windows.end(window)) {
      if (reader.isBlocked) continue;
      this.#ready.set(reader.id, reader);
      if (reader.seen < this.#values.last) behind.add(reader.id);
    }
    return behind;
  }

  /** Readers that are served from now on share no window with those before. Call it once for the windows that have begun in one turn. */
  readonly sealWindows = (): void => this.#windows.seal();

  /** Forgets what all readers have got. */
  forget(): void {
    let first = this.#values.last;
    for (const { seen } of this.#readers.values()) if (seen < first) first = seen;
    this.#values.forget(first);
  }

  /**
   * Returns the change that every reader must have got before no more than `maxBytes` are kept; 0 if that is so already.
   * @param maxBytes in bytes
   */
  leaving(maxBytes: number): number {
    this.forget();
    return this.#values.leaving(maxBytes);
  }

  /** The readers that have not got a change. */
  before(change: number): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const { id, seen } of this.#readers.values()) if (seen < change) ids.add(id);
    return ids;
  }

  /** True if the reader has not got a change. */
  isBefore(id: string, change: number): boolean {
    const reader = this.#readers.get(id);
    return reader !== undefined && reader.seen < change;
  }

  /** @returns how many values up to a change the reader took, and how many were not for it */
  #offerAll(reader: Reader, until: number): { readonly taken: number; readonly passed: number } {
    const values = this.#values;
    const count = { taken: 0, passed: 0 };
    let next = values.after(reader.seen);
    while (next && next.change <= until) {
      const { last } = values;
      const { change } = next;
      const taking = this.effects.offer(reader.id, next.value);
      if (this.#readers.get(reader.id) !== reader || taking === 'gone') return count;
      if (taking === 'blocked') {
        reader.isBlocked = true;
        this.#ready.delete(reader.id);
        return count;
      }
      count[taking] += 1;
      this.#advance(reader, change);
      // The offer may have caused changes, which move values to the end.
      next = values.last === last ? next.newer : values.after(change);
    }
    return count;
  }

  #advance(reader: Reader, change: number): void {
    if (reader.seen >= change) return;
    reader.seen = change;
    if (change === this.#values.last) this.#current += 1;
  }

  /** Begins the interval of a reader, unless it was blocked in the middle: then it gets the rest first. */
  #pauseOrGoOn(reader: Reader): void {
    const isCut = reader.isBlocked && reader.intervalMs > 0;
    reader.until = isCut ? (reader.until ?? this.#values.last) : undefined;
    if (!isCut) this.#served(reader);
  }

  #served(reader: Reader): void {
    if (reader.intervalMs === 0) return;
    this.#ready.delete(reader.id);
    this.#windows.begin(reader, reader.intervalMs);
  }

  /** A reader that waits goes on waiting, but no longer than its new interval from now on. */
  #changeInterval(reader: Reader, intervalMs: number): boolean {
    if (reader.intervalMs === intervalMs) return false;
    reader.intervalMs = intervalMs;
    reader.until = undefined;
    const { window } = reader;
    if (window === undefined || intervalMs >= window.intervalMs) return false;
    if (intervalMs > 0) this.#windows.begin(reader, intervalMs);
    else this.#windows.leave(reader);
    if (intervalMs > 0 || reader.isBlocked) return false;
    this.#ready.set(reader.id, reader);
    return true;
  }

  /** Forgets the values that all readers have got, when that is known or due. */
  #trim(): void {
    const { size } = this.#values;
    if (size === 0) return;
    if (this.#current === this.#readers.size) this.#values.forget(this.#values.last);
    else if (size > this.#trimAbove) {
      this.forget();
      this.#trimAbove = this.#values.size * 2 + SPARE_KEYS;
    }
  }
}
