import { TokenBucket, type Rate } from './token-bucket.js';

/**
 * A token bucket for each of many keys, such as addresses. A bucket that was not used for as long as it takes to fill is
 * dropped, which changes nothing, since a new one is full too; that takes two `Map`s and no timer. With more than `maxKeys` at
 * a time the least recent are dropped early: those restart with a full bucket, so a crowd of keys never causes a refusal.
 * Changed in place by its one owner.
 */
export class KeyedBuckets {
  readonly #fillMs: number;
  #recent = new Map<string, TokenBucket>();
  #older = new Map<string, TokenBucket>();
  #turnedAt: number;

  /** @param maxKeys half of the most buckets that are held */
  constructor(
    private readonly rate: Rate,
    private readonly maxKeys: number,
    now: number,
  ) {
    this.#fillMs = (rate.burst / rate.perSecond) * 1_000;
    this.#turnedAt = now;
  }

  /**
   * Takes a token of this key.
   * @param now milliseconds, from any clock
   * @returns 0 if a token was taken, else the milliseconds until one is available
   */
  take(key: string, now: number): number {
    if (this.rate.perSecond === Infinity || this.rate.burst === Infinity) return 0;
    return this.#bucketOf(key, now).take(now);
  }

  /** Puts back a token that was taken. */
  putBack(key: string): void {
    (this.#recent.get(key) ?? this.#older.get(key))?.putBack();
  }

  /** The number of buckets held. */
  get size(): number {
    return this.#recent.size + this.#older.size;
  }

  #bucketOf(key: string, now: number): TokenBucket {
    if (now - this.#turnedAt >= this.#fillMs) this.#turn(now);
    const known = this.#recent.get(key);
    if (known) return known;
    if (this.#recent.size >= this.maxKeys) this.#turn(now);
    const bucket = this.#older.get(key) ?? new TokenBucket(this.rate, now);
    this.#older.delete(key);
    this.#recent.set(key, bucket);
    return bucket;
  }

  #turn(now: number): void {
    this.#older = this.#recent;
    this.#recent = new Map();
    this.#turnedAt = now;
  }
}
