/** An error of 1.6 % at most: half of them are used, those above the octave below. */
const BUCKETS_PER_OCTAVE = 64;
const OCTAVES = 32;
const MAX_MICROS = 2 ** 31 - 1;

/** Counts latencies without keeping them, in whole microseconds; half an hour is the most it can tell. */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS_PER_OCTAVE * OCTAVES);
  #total = 0;

  add(micros: number): void {
    this.#counts[bucketOf(micros)]! += 1;
    this.#total += 1;
  }

  get count(): number {
    return this.#total;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#total = 0;
  }

  /** The latency that this fraction of all latencies does not exceed, in microseconds; `undefined` if there are none. */
  percentile(part: number): number | undefined {
    let missing = Math.ceil(this.#total * part);
    if (missing === 0) return undefined;
    for (let bucket = 0; ; bucket++) {
      missing -= this.#counts[bucket]!;
      if (missing <= 0) return middleOf(bucket);
    }
  }
}

function bucketOf(micros: number): number {
  const value = Math.min(Math.max(0, Math.floor(micros)), MAX_MICROS);
  const octave = value < BUCKETS_PER_OCTAVE ? 0 : 31 - Math.clz32(value) - 5;
  return octave * BUCKETS_PER_OCTAVE + (value >>> octave);
}

function middleOf(bucket: number): number {
  const octave = Math.floor(bucket / BUCKETS_PER_OCTAVE);
  const step = bucket % BUCKETS_PER_OCTAVE;
  return octave === 0 ? step : (step + 0.5) * 2 ** octave;
}
