/** Work in progress. */
interface Waiting {
  readonly startedAt: number;
  readonly giveUp: () => void;
}

/** A time limit for one kind of work. All work in progress shares one timer, because most work ends long before it fires. */
export class Deadline {
  /** In starting order, which is also the order of their deadlines. */
  readonly #waiting = new Set<Waiting>();
  #isArmed = false;

  /** @param late creates the error for work that takes longer than `ms` milliseconds; its eventual outcome is ignored */
  constructor(
    private readonly ms: number,
    private readonly late: () => Error,
  ) {}

  /** Settles as the work does if that happens in time, and otherwise rejects with the error of `late`. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { startedAt: performance.now(), giveUp: () => reject(this.late()) };
      this.#waiting.add(waiting);
      if (!this.#isArmed) this.#arm(this.ms);
      const ended = () => this.#waiting.delete(waiting);
      work.then(
        (value) => (ended(), resolve(value)),
        (error) => (ended(), reject(error)),
      );
    });
  }

  #arm(ms: number): void {
    this.#isArmed = true;
    // The timer must not keep the process alive; the work itself does where it has to.
    setTimeout(this.#check, ms).unref();
  }

  readonly #check = (): void => {
    this.#isArmed = false;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      // Timers may fire up to a millisecond early.
      const leftMs = Math.floor(waiting.startedAt + this.ms - now);
      if (leftMs > 0) return this.#arm(leftMs);
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  };
}
