/** Longest pause in milliseconds, unless the next token takes longer. */
const MAX_PAUSE_MS = 1_000;

/** The excess in one pause that counts as a violation, unless the burst is larger, in commands. */
const MIN_EXCESS = 100;

/** The pauses in reading from one client, because its rate limit was used up. A value; {@link beginPause} makes the next. */
export interface RatePause {
  /** The length of the pause, in milliseconds. */
  readonly pauseMs: number;
  /** The number of pauses right before this one in which the client sent more than its rate limit allows. */
  readonly streak: number;
  /** When it ends, in milliseconds. */
  readonly endsAt: number;
  /** The commands that exceeded the limit since it began: they were read already when it began. */
  readonly excess: number;
}

/**
 * Begins a pause until the next token, because the rate limit is used up. If the client keeps exceeding the limit, each pause is
 * twice as long as the one before: refusals come in fewer, larger batches, and the permitted rate stays the same.
 * @param before the pause before, if there was one
 * @param now milliseconds
 * @param waitMs milliseconds until the next token
 */
export function beginPause(before: RatePause | undefined, now: number, waitMs: number): RatePause {
  const streak = before === undefined || before.excess === 0 || hasSlowedDown(before, now) ? 0 : before.streak + 1;
  const pauseMs = Math.max(waitMs, Math.min(waitMs * 2 ** Math.min(streak, 16), MAX_PAUSE_MS));
  return { pauseMs, streak, endsAt: now + pauseMs, excess: 0 };
}

/** Counts a command that exceeded the limit. */
export function withExcess(pause: RatePause): RatePause {
  return { ...pause, excess: pause.excess + 1 };
}

/**
 * True if the latest command that exceeded the limit is a violation. The first refused commands are none: they were on their way
 * before the client could know. If the pause before had refusals too, the client has ignored their `retryAfterMs`, so the first
 * excess of this pause is a violation. So is every `burst`-th command that exceeds the limit in one pause.
 */
export function isViolation({ streak, excess }: RatePause, burst: number): boolean {
  return (excess === 1 && streak > 0) || (excess > 0 && excess % Math.max(burst, MIN_EXCESS) === 0);
}

/** True if the client has kept to its limit since the pause, for as long as that took. */
function hasSlowedDown({ endsAt, pauseMs }: RatePause, now: number): boolean {
  return now - endsAt >= pauseMs;
}
