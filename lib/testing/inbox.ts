/** In milliseconds. Test runners give up after 5 s, and then would not show what had arrived. */
const DEFAULT_TIMEOUT_MS = 4_000;

/** Keeps what arrives until it is asked for; asking waits, with a deadline. */
export class Inbox<T> {
  readonly items: T[] = [];
  readonly #waiting: { readonly test: (item: T) => boolean; readonly resolve: (item: T) => void }[] = [];

  /** @param what names one item in error texts */
  constructor(private readonly what: string) {}

  put(item: T): void {
    const at = this.#waiting.findIndex(({ test }) => test(item));
    if (at < 0) this.items.push(item);
    else this.#waiting.splice(at, 1)[0]!.resolve(item);
  }

  /** The oldest item that fits, now or when it comes. */
  take(test: (item: T) => boolean = () => true, timeoutMs = DEFAULT_TIMEOUT_MS): Promise<T> {
    const at = this.items.findIndex(test);
    if (at >= 0) return Promise.resolve(this.items.splice(at, 1)[0]!);
    // Made here, so that its stack leads to the test that waits.
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
