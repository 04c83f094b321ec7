/**
 * Whether a node can know every other node from the leases that it reads. It cannot
 * - for a grace period after the server that keeps the leases has started: its data may be gone, or older than the last leases;
 * - for a grace period after that server has lost them, if this node has not read them before: those that it has read are in `HeldLeases`;
 * - while it has not read them for so long that leases may have ended unseen, and for a grace period afterwards. This includes a node
 *   that could not read them when it started.
 *
 * Within the grace period every node that can reach the server announces itself again.
 */
export class FleetSight {
  /** When the leases were last read; `-Infinity` if they could not be read yet. */
  #readAt: number | undefined;
  #isAwaited = false;
  #blindUntil = -Infinity;

  /**
   * @param graceMs the time for a node to announce itself again, in milliseconds
   * @param longestGapMs the time between two reads in which no lease can have ended unseen, in milliseconds
   */
  constructor(
    private readonly graceMs: number,
    private readonly longestGapMs: number,
  ) {}

  /** Records that this node reads the leases from now on: until it has read them, it knows no other node. */
  open(): void {
    this.#isAwaited = true;
  }

  /**
   * Records that the leases were read.
   * @param intactForMs the time for which the server has not lost leases, in milliseconds
   */
  read(now: number, intactForMs: number): void {
    this.#isAwaited = false;
    if (this.#isBlind(now)) this.#blindUntil = now + this.graceMs;
    else if (this.#readAt === undefined) this.#blindUntil = now + this.graceMs - intactForMs;
    this.#readAt = now;
  }

  /** Records that the leases could not be read. If they never were, nothing tells for how long others could not be seen either. */
  fail(): void {
    this.#readAt ??= -Infinity;
  }

  /**
   * False while there may be nodes that this one does not know.
   * @param serverStartedBy when the server had started at the latest
   */
  isWhole(now: number, serverStartedBy: number): boolean {
    if (this.#isAwaited || this.#isBlind(now) || now < this.#blindUntil) return false;
    return now - serverStartedBy >= this.graceMs;
  }

  #isBlind(now: number): boolean {
    return this.#readAt !== undefined && now - this.#readAt > this.longestGapMs;
  }
}
