import type { Clock } from '../../ports/clock.js';
import type { Codec } from '../../ports/codec.js';
import { Frame } from '../../ports/frame.js';
import { endFailed, type Disconnectable } from './connection-failure.js';

const MAX_TICK_MS = 1_000;

/** A connection that the heartbeat reaches. */
export interface Ticking extends Disconnectable {
  /** Called at a steady pace. */
  tick(tick: HeartbeatTick): void;
}

/** One tick, the same object for all connections. */
export interface HeartbeatTick {
  /** The clock's time, in milliseconds since the epoch. */
  readonly now: number;
  /** The ping frame of each codec, for clients that want to notice a dead server. */
  readonly pings: ReadonlyMap<Codec, Frame>;
  /** The heartbeat interval, in ticks. */
  readonly intervalTicks: number;
  /** The heartbeat timeout, in ticks: how long a ping may stay unanswered. */
  readonly timeoutTicks: number;
  /** The stall timeout, in ticks: how long a peer's backlog may make no progress. */
  readonly stallTicks: number;
  /** The authentication timeout, in ticks. */
  readonly authTicks: number;
}

/** The times of the heartbeat, in milliseconds. */
export interface HeartbeatTimes {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly writeStallMs: number;
  readonly authTimeoutMs: number;
}

/**
 * One timer for all time-based work on connections: pings, dead and stalled peers, the expiry of tokens, and the deadline
 * for authentication. Timeouts of peers are counted in ticks, not by the clock: after a stall of the event loop only one tick
 * has passed, and the pongs that arrived meanwhile are read before the next.
 */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly times: HeartbeatTimes,
    private readonly connections: ReadonlySet<Ticking>,
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
      const tick: HeartbeatTick = { now, pings: this.#pings(new Date(now).toISOString()), ...ticks };
      for (const connection of this.connections) reach(connection, tick);
    }, tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #pings(timestamp: string): ReadonlyMap<Codec, Frame> {
    const pings = new Map<Codec, Frame>();
    for (const codec of this.codecs) {
      const payload = codec.encodePush({ kind: 'ping' }, timestamp);
      if (payload !== undefined) pings.set(codec, new Frame(payload));
    }
    return pings;
  }
}

/** A failure of one connection must neither keep the tick from the others nor end the process. */
function reach(connection: Ticking, tick: HeartbeatTick): void {
  try {
    connection.tick(tick);
  } catch (error) {
    endFailed(connection, error);
  }
}
