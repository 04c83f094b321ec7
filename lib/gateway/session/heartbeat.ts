import type { Clock } from '../../ports/clock.js';
import type { Codec } from '../../ports/codec.js';
import { Frame } from '../../ports/frame.js';
import type { Session } from './session.js';
import { endFailed } from './sessions.js';

const MAX_TICK_MS = 1_000;

/** One beat, the same for all sessions. */
export interface HeartbeatTick {
  /** The clock's time. */
  readonly now: number;
  /** For clients that want to notice a dead server, the frame in each codec. */
  readonly pings: ReadonlyMap<Codec, Frame>;
  /** After how many beats a session is pinged again. */
  readonly intervalTicks: number;
  /** For how many beats a ping may stay unanswered. */
  readonly timeoutTicks: number;
  /** For how many beats a peer may take nothing of what waits for it. */
  readonly stallTicks: number;
  /** For how many beats a client may stay without a token. */
  readonly authTicks: number;
}

/** How often, and how long, in milliseconds. */
export interface HeartbeatTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly writeStallMs: number;
  readonly authTimeoutMs: number;
}

/**
 * One timer for all that happens to connections by itself: pings, dead and stalled peers, the end of a token's life,
 * authentication that does not come. What concerns peers is counted in beats and not by the clock: after a stall of the
 * event loop one beat has passed, and the pongs that came in meanwhile are read before the next.
 */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly times: HeartbeatTimes,
    private readonly sessions: ReadonlySet<Session>,
    private readonly clock: Clock,
    private readonly codecs: readonly Codec[],
  ) {}

  start(): void {
    const { intervalMs, timeoutMs, writeStallMs, authTimeoutMs } = this.times;
    const tickMs = Math.min(MAX_TICK_MS, intervalMs, timeoutMs, writeStallMs);
    const ticks = {
      intervalTicks: Math.round(intervalMs / tickMs),
      timeoutTicks: Math.ceil(timeoutMs / tickMs),
      stallTicks: Math.ceil(writeStallMs / tickMs),
      authTicks: Math.ceil(authTimeoutMs / tickMs),
    };
    this.#timer = setInterval(() => {
      const now = this.clock.now();
      const beat: HeartbeatTick = { now, pings: this.#pings(new Date(now).toISOString()), ...ticks };
      for (const session of this.sessions) tick(session, beat);
    }, tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #pings(timestamp: string): ReadonlyMap<Codec, Frame> {
    const pings = new Map<Codec, Frame>();
    for (const codec of this.codecs) {
      const text = codec.encodePush({ kind: 'ping' }, timestamp);
      if (text !== undefined) pings.set(codec, new Frame(text));
    }
    return pings;
  }
}

/** Nothing that goes wrong with one session may keep the others from their beat, or end the process. */
function tick(session: Session, beat: HeartbeatTick): void {
  try {
    session.tick(beat);
  } catch (error) {
    endFailed(session, error);
  }
}
