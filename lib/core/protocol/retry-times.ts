/**
 * Tells refused commands when to come again, each after those that were refused before it, and knows which of them may be back. What
 * was told in earlier pauses stays valid. Mutable; one owner changes it.
 */
export class RetryTimes {
  /** When the command that is refused next may come again, if no token is there before. */
  #next = -Infinity;
  #tokenMs = 0;
  /** The commands that have not come again, whose times are one after another up to {@link #next}. */
  #pending = 0;
  /** The commands that have not come again, and whose times are over. */
  #overdue = 0;
  #now = -Infinity;

  /**
   * @param now milliseconds, from a clock that may be set back
   * @param waitMs milliseconds until the next token
   * @param tokenMs milliseconds until the tokens are there that the command takes
   * @returns milliseconds until the command may be sent again
   */
  after(now: number, waitMs: number, tokenMs: number): number {
    this.#passTo(now);
    if (now + waitMs > this.#next) {
      this.#overdue += this.#pending;
      this.#pending = 0;
      this.#next = now + waitMs;
    }
    const at = this.#next;
    this.#pending += 1;
    this.#tokenMs = tokenMs;
    this.#next += tokenMs;
    return at - now;
  }

  /** Counts a command that has come. @returns true if it may be one that was refused before, and is back in time */
  isBack(now: number): boolean {
    this.#passTo(now);
    if (this.#overdue > 0) this.#overdue -= 1;
    else if (this.#pending > 0 && now >= this.#next - this.#pending * this.#tokenMs) this.#pending -= 1;
    else return false;
    return true;
  }

  /** Times that were told by a clock which was set back since are all over. */
  #passTo(now: number): void {
    if (now < this.#now) {
      this.#overdue += this.#pending;
      this.#pending = 0;
      this.#next = -Infinity;
    }
    this.#now = now;
  }
}
