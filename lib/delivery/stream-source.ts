import { streamIteratorOf } from './stream-iterator.js';

/** The result of waiting for a source. */
export type SourceNews =
  | { readonly kind: 'item'; readonly item: unknown }
  | { readonly kind: 'end' }
  | { readonly kind: 'failed'; readonly error: unknown }
  /** The time of {@link StreamSource.remind} is over. */
  | { readonly kind: 'due' }
  | { readonly kind: 'interrupted' };

/** Opens the source of a stream; the signal is aborted when no more items are wanted. */
export type OpenSource = (signal: AbortSignal) => AsyncIterable<unknown>;

/**
 * Pulls the items of a source, one at a time: the next one is asked for when somebody waits for it. An interruption aborts the
 * signal, calls `return()`, and is not held up by a source that takes no notice of either.
 */
export class StreamSource {
  readonly #controller = new AbortController();
  #iterator: AsyncIterator<unknown> | undefined;
  #isPulling = false;
  #arrived: SourceNews | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #wake: () => void = () => undefined;

  constructor(private readonly open: OpenSource) {}

  get isInterrupted(): boolean {
    return this.#controller.signal.aborted;
  }

  /** Waits for the next item, the end, an interruption, or the reminder. Never rejects. */
  async next(): Promise<SourceNews> {
    if (!this.#isPulling && this.#arrived === undefined) void this.#pull();
    while (this.#arrived === undefined && !this.#isDue && !this.isInterrupted) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    if (this.isInterrupted) return INTERRUPTED;
    if (this.#isDue) {
      this.#isDue = false;
      return DUE;
    }
    const arrived = this.#arrived!;
    this.#arrived = undefined;
    return arrived;
  }

  /** Makes {@link next} return after this time, unless {@link forget} is called before. */
  remind(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#isDue = true;
      this.#wake();
    }, ms);
  }

  forget(): void {
    clearTimeout(this.#timer);
    this.#isDue = false;
  }

  /** Ends the source, if it has not ended. Idempotent. */
  interrupt(): void {
    if (this.isInterrupted) return;
    this.forget();
    this.#controller.abort();
    this.#return();
    this.#wake();
  }

  async #pull(): Promise<void> {
    this.#isPulling = true;
    try {
      if (this.#iterator === undefined) {
        this.#iterator = streamIteratorOf(this.open(this.#controller.signal));
        // It was interrupted while it was opened.
        if (this.isInterrupted) return this.#return();
      }
      const { done, value } = await this.#iterator.next();
      this.#arrived = done ? END : { kind: 'item', item: value };
    } catch (error) {
      this.#arrived = { kind: 'failed', error };
    }
    this.#isPulling = false;
    this.#wake();
  }

  /** A generator that waits for something returns when that has come, which may be never. */
  #return(): void {
    const iterator = this.#iterator;
    void (async () => iterator?.return?.())().catch(() => undefined);
  }
}

const END: SourceNews = { kind: 'end' };
const DUE: SourceNews = { kind: 'due' };
const INTERRUPTED: SourceNews = { kind: 'interrupted' };
