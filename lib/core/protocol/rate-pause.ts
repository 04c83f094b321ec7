import { fillMsOf, type Rate } from '../base/token-bucket.js';

/** Longest pause in milliseconds, unless the next token takes longer. */
const MAX_PAUSE_MS = 1_000;

/** A pause in reading from one client, because its rate limit is used up. A value; {@link beginPause} makes the next. */
export interface RatePause {
  /** The length of the pause, in milliseconds. */
  readonly pauseMs: number;
  /** The number of pauses right before this one in which the client sent more than its rate limit allows. */
  readonly streak: number;
  /** When it ends, in milliseconds. */
  readonly endsAt: number;
  /** The commands that exceeded the limit since it began: they were read already when it began. */
  readonly excess: number;
  /** True if some of them may be sent again later. */
  readonly hasRefusals: boolean;
  /** The number of the ping sent behind the refusals of this streak of pauses; nothing if there was none. */
  readonly notice: number | undefined;
  /** True once that ping was answered: whatever the client sent after its pong, it sent after it got refusals. */
  readonly isNoticed: boolean;
  /** The part of the excess that was sent after that, and should not have been; counted anew after {@link countsAnewIn}. */
  readonly unheeded: number;
  /** Milliseconds of pauses, this one included: more than this one if it is short because the bucket fills soon. */
  readonly countsAnewIn: number;
}

/**
 * Begins a pause until the next token, because the rate limit is used up. If the client keeps exceeding the limit, each pause is
 * twice as long as the one before: refusals come in fewer, larger batches. No pause is longer than the bucket takes to fill: more
 * tokens cannot be saved up, and would be lost.
 * @param before the pause before, if there was one
 * @param now milliseconds
 * @param waitMs milliseconds until the next token
 * @param rate the rate limit that is used up
 */
export function beginPause(before: RatePause | undefined, now: number, waitMs: number, rate: Rate): RatePause {
  const goesOn = before !== undefined && before.excess > 0 && !hasSlowedDown(before, now);
  const streak = goesOn ? before.streak + 1 : 0;
  const doubledMs = Math.max(waitMs, Math.min(waitMs * 2 ** Math.min(streak, 16), MAX_PAUSE_MS));
  const pauseMs = Math.max(waitMs, Math.min(doubledMs, fillMsOf(rate)));
  const { notice, isNoticed } = goesOn ? before : UNNOTICED;
  const leftMs = goesOn ? before.countsAnewIn - before.pauseMs : 0;
  return {
    pauseMs,
    streak,
    endsAt: now + pauseMs,
    excess: 0,
    hasRefusals: false,
    notice,
    isNoticed,
    unheeded: goesOn && leftMs > 0 ? before.unheeded : 0,
    countsAnewIn: leftMs > 0 ? leftMs : doubledMs,
  };
}

/**
 * Counts a command that exceeded the limit.
 * @param isToBeHeeded false for one that a client may send although it was told to wait
 * @param isBack true for one that may have been refused before, and is sent again when it was told to
 */
export function withExcess(pause: RatePause, isToBeHeeded = true, isBack = false): RatePause {
  const { excess, unheeded, isNoticed } = pause;
  const hasRefusals = pause.hasRefusals || isToBeHeeded;
  return {
    ...pause,
    excess: excess + 1,
    hasRefusals,
    unheeded: isNoticed && isToBeHeeded && !isBack ? unheeded + 1 : unheeded,
  };
}

/** True if commands were refused and the client has not been sent a ping behind the refusals. */
export function needsNotice({ hasRefusals, notice }: RatePause): boolean {
  return hasRefusals && notice === undefined;
}

/** Records that the client was sent a ping with this number. */
export function withNotice(pause: RatePause, notice: number): RatePause {
  return { ...pause, notice };
}

/** Records that the client has answered the ping with this number. */
export function noticed(pause: RatePause, notice: number): RatePause {
  return pause.notice === notice ? { ...pause, isNoticed: true } : pause;
}

/**
 * True if the latest command that exceeded the limit is a violation: the first of each pause that the client sent after it had
 * got refusals, and at most one for short pauses that count together. Anything before is none, however much it is: it was on its
 * way when the client could not know.
 * @param before the pause before that command
 */
export function isViolation(pause: RatePause, before: RatePause): boolean {
  return pause.unheeded === 1 && before.unheeded === 0;
}

/** True if the client has kept to its limit since the pause, for as long as that took. */
function hasSlowedDown({ endsAt, pauseMs }: RatePause, now: number): boolean {
  return now - endsAt >= pauseMs;
}

const UNNOTICED = { notice: undefined, isNoticed: false };
