/** An interval that has begun, in which its readers get no update. */
export class PaceWindow<R = unknown> {
  readonly readers = new Set<R>();

  /** @param intervalMs its length */
  constructor(readonly intervalMs: number) {}
}

/** The effects of {@link PaceWindows}. */
export interface WindowEffects<R> {
  /** A window has begun. Call {@link PaceWindows.end} after its length, and {@link PaceWindows.seal} before anything else happens. */
  beginWindow(window: PaceWindow<R>): void;
  /** Nobody waits for the end of a window any more. */
  cancelWindow(window: PaceWindow<R>): void;
}

/**
 * The windows of readers that get updates at most once in an interval. Readers with the same interval that get an update in the same
 * moment share a window, and nobody else: the wait of one reader depends neither on the others nor on their intervals.
 */
export class PaceWindows<R extends { window: PaceWindow<R> | undefined }> {
  /** The windows of this moment, by interval. */
  readonly #present = new Map<number, PaceWindow<R>>();

  constructor(private readonly effects: WindowEffects<R>) {}

  /** Has a reader wait for an interval from now on, in place of the one that it waits for. */
  begin(reader: R, intervalMs: number): void {
    let window = this.#present.get(intervalMs);
    if (window !== undefined && window === reader.window) return;
    if (reader.window !== undefined) this.leave(reader);
    if (window === undefined) {
      this.#present.set(intervalMs, (window = new PaceWindow(intervalMs)));
      this.effects.beginWindow(window);
    }
    window.readers.add(reader);
    reader.window = window;
  }

  /** Has a reader wait no longer. */
  leave(reader: R): void {
    const { window } = reader;
    if (window === undefined) return;
    reader.window = undefined;
    window.readers.delete(reader);
    if (window.readers.size > 0) return;
    this.#forget(window);
    this.effects.cancelWindow(window);
  }

  /** Ends a window. @returns its readers, which wait no longer */
  end(window: PaceWindow<R>): ReadonlySet<R> {
    this.#forget(window);
    for (const reader of window.readers) reader.window = undefined;
    return window.readers;
  }

  /** The moment is over: nobody joins the windows that have begun in it any more. */
  seal(): void {
    this.#present.clear();
  }

  #forget(window: PaceWindow<R>): void {
    if (this.#present.get(window.intervalMs) === window) this.#present.delete(window.intervalMs);
  }
}
