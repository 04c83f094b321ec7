/** Most commands that count as refused and not back yet. */
const MAX_AWAITED = 4_096;

/**
 * Longest time that a refused command is told to wait, in milliseconds, unless its token takes longer. A client may drop what was
 * refused; its later commands do not wait for that longer than this.
 */
const MAX_RETRY_MS = 10_000;

/**
 * Tells refused commands when to come again, each after those that were refused before it, and knows which of them may be back. What
 * was told in earlier pauses stays valid. Mutable; one owner changes it.
 */
export class RetryTimes {
  /** When the command that is refused next may come again, if no token is there before. */
  #next = -Infinity;
  /** The commands that have not come again, and are told times from {@link #due} up to {@link #next}. */
  #pending = 0;
  /** When the first of them may come again. */
  #due = -Infinity;
  /** The commands that have not come again, and may come at any time. */
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
      this.release();
      this.#next = now + waitMs;
    }
    const latest = now + Math.max(waitMs, MAX_RETRY_MS);
    const at = Math.min(this.#next, latest);
    if (this.#pending === 0) this.#due = at;
    this.#pending += 1;
    this.#next = Math.min(at + tokenMs, latest);
    return at - now;
  }

  /** Counts a command that has come. @returns true if it may be one that was refused before, and is back in time */
  isBack(now: number): boolean {
    this.#passTo(now);
    if (this.#overdue > 0) {
      this.#overdue -= 1;
      return true;
    }
    if (this.#pending === 0 || now < this.#due) return false;
    this.#due += (this.#next - this.#due) / this.#pending;
    this.#pending -= 1;
    return true;
  }

  /** Lets all refused commands come at any time: there are tokens to spare. */
  release(): void {
    this.#overdue = Math.min(MAX_AWAITED, this.#overdue + this.#pending);
    this.#pending = 0;
    this.#next = -Infinity;
  }

  #passTo(now: number): void {
    if (now < this.#now) this.release();
    this.#now = now;
  }
}
