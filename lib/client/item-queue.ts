/** Options of a stream. */
export interface StreamOptions {
  /** Ends the stream when it is aborted; the iteration then rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting<T> {
  readonly resolve: (result: IteratorResult<T, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The items that have come and were not taken yet, as an iterator. It holds all of them: a consumer that is slower than its
 * connection has to stop.
 */
export class ItemQueue<T> implements AsyncIterableIterator<T> {
  readonly #waiting: Waiting<T>[] = [];
  #items: T[] = [];
  #isOver = false;
  /** The error that ended it, until it was thrown. */
  #failure: { readonly error: unknown } | undefined;
  readonly #onAbort = () => this.#abort();

  /**
   * @param onEnd called once, when nothing is taken any more; told whether that is the consumer's doing
   */
  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly onEnd: (isEarly: boolean) => void,
  ) {
    if (signal?.aborted) this.#abort();
    else signal?.addEventListener('abort', this.#onAbort);
  }

  /** True when nothing is taken any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#items.length > 0) return Promise.resolve({ done: false, value: this.#items.shift()! });
    if (this.#failure) {
      const { error } = this.#failure;
      this.#failure = undefined;
      return Promise.reject(error);
    }
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Called by `for await` when it is left. */
  return(): Promise<IteratorResult<T, undefined>> {
    this.#items = [];
    this.#failure = undefined;
    this.#end(true);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Adds an item. */
  push(item: T): void {
    if (this.#isOver) return;
    const first = this.#waiting.shift();
    if (first) first.resolve({ done: false, value: item });
    else this.#items.push(item);
  }

  /** No more items. */
  close(): void {
    this.#end(false);
  }

  /** No more items, because something failed: that is thrown behind the items that have come. */
  fail(error: unknown): void {
    this.#fail(error, false);
  }

  #abort(): void {
    this.#items = [];
    this.#fail(this.signal?.reason, true);
  }

  #fail(error: unknown, isEarly: boolean): void {
    if (this.#isOver) return;
    const first = this.#waiting.shift();
    if (first) first.reject(error);
    else this.#failure = { error };
    this.#end(isEarly);
  }

  #end(isEarly: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.signal?.removeEventListener('abort', this.#onAbort);
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
    this.onEnd(isEarly);
  }
}
