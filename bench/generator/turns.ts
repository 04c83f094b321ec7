/**
 * Keeps the event loop turning, so that this process never sleeps: what wakes a sleeping process is done, and paid for, by
 * the one that writes to it, which is the server.
 */
export class Turns {
  /** How long nothing had happened in the turns so far, in milliseconds. */
  idleMs = 0;
  #isTurning = true;
  #each: ((nowMs: number) => void) | undefined;

  /** @param happenings counts what happens */
  constructor(happenings: () => number) {
    let seen = happenings();
    let last = performance.now();
    const turn = () => {
      const now = performance.now();
      const happened = happenings();
      if (happened === seen) this.idleMs += now - last;
      seen = happened;
      last = now;
      this.#each?.(now);
      if (this.#isTurning) setImmediate(turn);
    };
    setImmediate(turn);
  }

  /** Calls this in every turn until it returns true. */
  until(isOver: (nowMs: number) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#each = (now) => {
        try {
          if (!isOver(now)) return;
          resolve();
        } catch (error) {
          reject(error);
        }
        this.#each = undefined;
      };
    });
  }

  stop(): void {
    this.#isTurning = false;
  }
}
