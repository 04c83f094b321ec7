import { tokenLife } from '../identity/token-life.js';

/** The topics that a connection is in by a token, and when each token ends. Changed in place by its one owner. */
export class TopicGrants {
  readonly #ends = new Map<string, Date>();

  set(topic: string, expiresAt: Date): void {
    this.#ends.set(topic, expiresAt);
  }

  /** When the token for a topic ends; `undefined` when there is none. */
  endOf(topic: string): Date | undefined {
    return this.#ends.get(topic);
  }

  delete(topic: string): void {
    this.#ends.delete(topic);
  }

  /**
   * The topics whose tokens have ended.
   * @param toleranceS seconds that clocks may differ by
   */
  expired(now: number, toleranceS: number): string[] {
    return Array.from(this.#ends)
      .filter(([, expiresAt]) => tokenLife(expiresAt, now, toleranceS) === 'expired')
      .map(([topic]) => topic);
  }
}
