/** In milliseconds. It is below the 5 s after which test runners stop a test without showing the items that arrived. */
const DEFAULT_TIMEOUT_MS = 4_000;

/** A queue of arrived items. Taking an item waits for it, with a deadline. */
export class Inbox<T> {
  readonly items: T[] = [];
  readonly #waiting: { readonly test: (item: T) => boolean; readonly resolve: (item: T) => void }[] = [];

  /** @param what name of an item in error texts */
  constructor(private readonly what: string) {}

  put(item: T): void {
    const at = this.#waiting.findIndex(({ test }) => test(item));
    if (at < 0) this.items.push(item);
    else this.#waiting.splice(at, 1)[0]!.resolve(item);
  }

  /** Removes and returns the oldest item that passes the test, as soon as there is one. */
  take(test: (item: T) => boolean = () => true, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<T> {
    const at = this.items.findIndex(test);
    if (at >= 0) return Promise.resolve(this.items.splice(at, 1)[0]!);
    // Created here, so that its stack trace points to the waiting test.
    const late = new Error(`No such ${this.what} within ${timeoutMs} ms`);
    return new Promise((resolve, reject) => {
      const waiter = {
        test,
        resolve: (item: T) => {
          clearTimeout(timer);
          resolve(item);
        },
      };
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        late.message += `; waiting to be taken: ${JSON.stringify(this.items)}`;
        reject(late);
      }, timeoutMs);
      this.#waiting.push(waiter);
    });
  }
}
