import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** The interval at which the delay is sampled, in milliseconds. */
const RESOLUTION_MS = 20;

/** The shortest time that a reading covers, in milliseconds. */
const WINDOW_MS = 10_000;

/** Delays of the event loop, in seconds. */
export interface LoopDelays {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const NO_DELAY: LoopDelays = { p50: 0, p99: 0, max: 0 };

/**
 * Measures how late the event loop is, from the first reading on: 50 timer ticks a second in native code. Several readers share
 * it, so a reading covers the window before as well as the present one: at least 10 seconds.
 */
export class EventLoopDelay {
  #histogram: IntervalHistogram | undefined;
  #before = NO_DELAY;
  #since = 0;

  /** @param now milliseconds of a clock that does not go back */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get isRunning(): boolean {
    return this.#histogram !== undefined;
  }

  /** Begins to measure, unless it does already. */
  start(): void {
    this.#started();
  }

  /** Returns the delays, and begins to measure with the first call. */
  read(): LoopDelays {
    const histogram = this.#started();
    const current = delaysOf(histogram);
    const larger = largerOf(this.#before, current);
    if (this.now() - this.#since >= WINDOW_MS) {
      this.#before = current;
      this.#since = this.now();
      histogram.reset();
    }
    return larger;
  }

  stop(): void {
    this.#histogram?.disable();
    this.#histogram = undefined;
  }

  #started(): IntervalHistogram {
    if (this.#histogram !== undefined) return this.#histogram;
    this.#since = this.now();
    this.#histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#histogram.enable();
    return this.#histogram;
  }
}

function delaysOf(histogram: IntervalHistogram): LoopDelays {
  if (histogram.count === 0) return NO_DELAY;
  // The histogram has the time between two samples in nanoseconds.
  const delay = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1_000);
  return {
    p50: delay(histogram.percentile(50)),
    p99: delay(histogram.percentile(99)),
    max: delay(histogram.max),
  };
}

function largerOf(a: LoopDelays, b: LoopDelays): LoopDelays {
  return { p50: Math.max(a.p50, b.p50), p99: Math.max(a.p99, b.p99), max: Math.max(a.max, b.max) };
}
