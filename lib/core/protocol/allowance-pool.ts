import { ClientAllowance, type ClientRate } from './client-allowance.js';

/**
 * The allowances of each user on one node, as many as a user may have connections: a connection takes one and returns it as it
 * is, so that connecting anew does not refill it. The fullest is taken first. An allowance that was not used for as long as it
 * takes to fill is dropped, which changes nothing; that takes two `Map`s and no timer. Mutable; one owner changes it.
 */
export class AllowancePool {
  /** The longest time that a returned allowance takes to fill: it grows with the gateways that were used. */
  #fillMs = 0;
  /** Returned allowances, by user. */
  #recent = new Map<string, ClientAllowance[]>();
  #older = new Map<string, ClientAllowance[]>();
  #turnedAt: number;

  /** @param perUser the number of allowances of one user; with `Infinity` every connection gets a new one */
  constructor(
    private readonly rate: ClientRate,
    private readonly perUser: number,
    now: number,
  ) {
    this.#turnedAt = now;
  }

  /**
   * Takes an allowance for a connection.
   * @param inUse the number of the user's connections that have one
   * @param now milliseconds, from any clock
   */
  take(userId: string, inUse: number, now: number): ClientAllowance {
    const returned = this.#returnedBy(userId, now);
    if (returned === undefined || inUse + returned.length < this.perUser) return new ClientAllowance(this.rate, now);
    const fullest = returned.reduce((best, each) => (each.spent(now) < best.spent(now) ? each : best));
    returned.splice(returned.indexOf(fullest), 1);
    if (returned.length === 0) this.#recent.delete(userId);
    return fullest;
  }

  /** Returns the allowance of a connection that has ended. */
  giveBack(userId: string, allowance: ClientAllowance, now: number): void {
    if (this.perUser === Infinity || allowance.spent(now) === 0) return;
    this.#fillMs = Math.max(this.#fillMs, allowance.fillMs);
    const returned = this.#returnedBy(userId, now);
    if (returned) returned.push(allowance);
    else this.#recent.set(userId, [allowance]);
  }

  /** The number of users for whom allowances are kept. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  #returnedBy(userId: string, now: number): ClientAllowance[] | undefined {
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
