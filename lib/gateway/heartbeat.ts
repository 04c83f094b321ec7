import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import { Frame } from '../ports/frame.js';
import type { Session } from './session.js';

const MAX_TICK_MS = 1_000;

/**
 * One timer for all that happens to connections by itself: pings, dead peers, the end of a token's life, authentication
 * that does not come. Time is counted in ticks and not by the clock: after a stall of the event loop one tick has passed,
 * and the pongs that came in meanwhile are read before the next.
 */
export class Heartbeat {
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: { readonly intervalMs: number; readonly timeoutMs: number },
    private readonly sessions: ReadonlySet<Session>,
    private readonly clock: Clock,
    private readonly codec: Codec,
  ) {
    this.#tickMs = Math.min(MAX_TICK_MS, options.intervalMs, options.timeoutMs);
  }

  start(): void {
    const intervalTicks = Math.round(this.options.intervalMs / this.#tickMs);
    const timeoutTicks = Math.ceil(this.options.timeoutMs / this.#tickMs);
    this.#timer = setInterval(() => {
      const now = this.clock.now();
      const ping = new Frame(this.codec.encodePush({ kind: 'ping' }, new Date(now).toISOString()));
      for (const session of this.sessions) session.tick(now, ping, intervalTicks, timeoutTicks);
    }, this.#tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
