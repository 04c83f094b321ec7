import { monitorEventLoopDelay, type IntervalHistogram } from 'node:perf_hooks';

/** How often it is looked, in milliseconds; the histogram counts this in. */
const RESOLUTION_MS = 1;

/** How late timers of this process are: for so long the event loop was busy with something else. Costs nothing until it is read first. */
export class Lateness {
  #histogram: IntervalHistogram | undefined;

  /** @returns in milliseconds, since the last time: what 99 % of the looks were below, and the most */
  read(): readonly [p99: number, max: number] {
    const histogram = (this.#histogram ??= started());
    const read = [histogram.percentile(99), histogram.max].map((nanos) => Math.max(0, nanos / 1e6 - RESOLUTION_MS));
    const isEmpty = histogram.count === 0;
    histogram.reset();
    return isEmpty ? [0, 0] : [read[0]!, read[1]!];
  }
}

function started(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}
