import { tokenLife } from '../identity/token-life.js';

/** The topics that a connection may use by a topic token, with the expiry of each. Mutable; one owner changes it. */
export class TopicGrants {
  readonly #ends = new Map<string, Date>();

  set(topic: string, expiresAt: Date): void {
    this.#ends.set(topic, expiresAt);
  }

  /** Returns the expiry of the token for a topic; `undefined` if there is no token. */
  endOf(topic: string): Date | undefined {
    return this.#ends.get(topic);
  }

  delete(topic: string): void {
    this.#ends.delete(topic);
  }

  /**
   * Returns the topics whose tokens have expired.
   * @param toleranceS tolerated clock difference, in seconds
   */
  expired(now: number, toleranceS: number): string[] {
    return Array.from(this.#ends)
      .filter(([, expiresAt]) => tokenLife(expiresAt, now, toleranceS) === 'expired')
      .map(([topic]) => topic);
  }
}
