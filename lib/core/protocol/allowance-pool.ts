import { CommandAllowance, type CommandRate } from './command-allowance.js';

/**
 * The allowances of each user on one node, as many as a user may have connections: a connection takes one and returns it as it
 * is, so that connecting anew does not refill it. The fullest is taken first. An allowance that was not used for as long as it
 * takes to fill is dropped, which changes nothing; that takes two `Map`s and no timer. Mutable; one owner changes it.
 */
export class AllowancePool {
  readonly #fillMs: number;
  /** Returned allowances, by user. */
  #recent = new Map<string, CommandAllowance[]>();
  #older = new Map<string, CommandAllowance[]>();
  #turnedAt: number;

  /** @param perUser the number of allowances of one user; with `Infinity` every connection gets a new one */
  constructor(
    private readonly rate: CommandRate,
    private readonly perUser: number,
    now: number,
  ) {
    this.#fillMs = ((rate.burst + rate.opening) / rate.perSecond) * 1_000;
    this.#turnedAt = now;
  }

  /**
   * Takes an allowance for a connection.
   * @param inUse the number of the user's connections that have one
   * @param now milliseconds, from any clock
   */
  take(userId: string, inUse: number, now: number): CommandAllowance {
    const returned = this.#returnedBy(userId, now);
    if (returned === undefined || inUse + returned.length < this.perUser) return new CommandAllowance(this.rate, now);
    const fullest = returned.reduce((best, each) => (each.left(now) > best.left(now) ? each : best));
    returned.splice(returned.indexOf(fullest), 1);
    if (returned.length === 0) this.#recent.delete(userId);
    return fullest;
  }

  /** Returns the allowance of a connection that has ended. */
  giveBack(userId: string, allowance: CommandAllowance, now: number): void {
    if (this.perUser === Infinity || allowance.isFull(now)) return;
    const returned = this.#returnedBy(userId, now);
    if (returned) returned.push(allowance);
    else this.#recent.set(userId, [allowance]);
  }

  /** The number of users for whom allowances are kept. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  #returnedBy(userId: string, now: number): CommandAllowance[] | undefined {
    if (now - this.#turnedAt >= this.#fillMs) {
      // After twice the time, the allowances in both maps are full.
      this.#older = now - this.#turnedAt >= 2 * this.#fillMs ? new Map() : this.#recent;
      this.#recent = new Map();
      this.#turnedAt = now;
    }
    const older = this.#older.get(userId);
    if (older) {
      this.#older.delete(userId);
      this.#recent.set(userId, older);
    }
    return this.#recent.get(userId);
  }
}
