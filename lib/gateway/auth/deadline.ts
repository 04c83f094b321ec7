/** Work that is under way. */
interface Waiting {
  readonly startedAt: number;
  readonly giveUp: () => void;
}

/** How long work of one kind may take. One timer serves all that is under way: most work is done long before it. */
export class Deadline {
  /** Oldest first, since all may take equally long. */
  readonly #waiting = new Set<Waiting>();
  #isArmed = false;

  /** @param late makes what is thrown when work takes longer; what it comes to then is nobody's concern */
  constructor(
    private readonly ms: number,
    private readonly late: () => Error,
  ) {}

  /** Comes to what the work comes to, if that is in time. */
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
    // Work that is waited for keeps the process alive by itself, if it is to.
    setTimeout(this.#check, ms).unref();
  }

  readonly #check = (): void => {
    this.#isArmed = false;
    const now = performance.now();
    for (const waiting of this.#waiting) {
      // Timers come up to a millisecond early.
      const leftMs = Math.floor(waiting.startedAt + this.ms - now);
      if (leftMs > 0) return this.#arm(leftMs);
      this.#waiting.delete(waiting);
      waiting.giveUp();
    }
  };
}
