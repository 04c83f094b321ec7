import { describe, expect, it } from 'vitest';
import { beginPause, isViolation, needsNotice, noticed, withExcess, withNotice, type RatePause } from './rate-pause.js';

/**
 * What comes in one pause after another: how many commands too many, after how many milliseconds since the last pause, and the
 * commands too many that came before the pong, if it comes at all.
 */
type Conduct = readonly (readonly [excess: number, afterMs: number, beforePong?: number])[];

const WAIT_MS = 50;
const RATE = { perSecond: 20, burst: 100 };

/** @returns the length of each pause, and the violations in it */
function follow(conduct: Conduct): { readonly pauses: number[]; readonly violations: number[] } {
  const pauses: number[] = [];
  const violations: number[] = [];
  let pause: RatePause | undefined;
  let notices = 0;
  for (const [excess, afterMs, beforePong] of conduct) {
    pause = beginPause(pause, (pause?.endsAt ?? 0) + afterMs, WAIT_MS, RATE);
    pauses.push(pause.pauseMs);
    let count = 0;
    for (let n = 0; n < excess; n++) {
      if (n === beforePong) pause = noticed(pause, notices);
      const before = pause;
      pause = withExcess(pause);
      if (isViolation(pause, before)) count += 1;
    }
    violations.push(count);
    if (needsNotice(pause)) pause = withNotice(pause, ++notices);
  }
  return { pauses, violations };
}

/** Sends two commands too many in each pause, and answers the ping after the first one before anything else. */
const GOES_ON: Conduct = Array.from({ length: 7 }, (_, n) => (n === 1 ? [2, 0, 0] : [2, 0]));

describe('a client whose rate limit is used up', () => {
  it.each<[string, Conduct, number[], number[]]>([
    ['within its limit is read again with the next token', [[0, 0]], [50], [0]],
    ['slowed down by not being read does nothing wrong', Array(4).fill([0, 0]), [50, 50, 50, 50], [0, 0, 0, 0]],
    ['is not blamed for what was on its way, however much it is', [[100_000, 0]], [50], [0]],
    [
      'is not blamed for what was on its way and is read in many pieces',
      Array(6).fill([1_000, 0]),
      [50, 100, 200, 400, 800, 1_000],
      [0, 0, 0, 0, 0, 0],
    ],
    [
      'is blamed once for each pause that it ignores, and the pauses double',
      GOES_ON,
      [50, 100, 200, 400, 800, 1_000, 1_000],
      [0, 1, 1, 1, 1, 1, 1],
    ],
    [
      'is blamed from the first command after its pong on',
      [
        [5, 0],
        [5, 0],
        [5, 0, 4],
        [5, 0],
      ],
      [50, 100, 200, 400],
      [0, 0, 1, 1],
    ],
    [
      'that slows down begins anew',
      [
        [1, 0],
        [1, 0, 0],
        [1, 100],
        [1, 0],
        [1, 0, 0],
      ],
      [50, 100, 50, 100, 200],
      [0, 1, 0, 0, 1],
    ],
    [
      'that keeps to one pause begins anew',
      [
        [1, 0],
        [0, 0],
        [1, 0, 0],
      ],
      [50, 100, 50],
      [0, 0, 0],
    ],
  ])('%s', (_what, conduct, pauses, violations) => {
    expect(follow(conduct)).toEqual({ pauses, violations });
  });

  it('is sent one ping for all refusals of a streak of pauses', () => {
    const first = withExcess(beginPause(undefined, 0, WAIT_MS, RATE));
    const second = withExcess(beginPause(withNotice(first, 7), first.endsAt, WAIT_MS, RATE));
    expect([beginPause(undefined, 0, WAIT_MS, RATE), first, second].map(needsNotice)).toEqual([false, true, false]);
  });

  it('is not blamed after the pong of an earlier streak', () => {
    const first = withNotice(withExcess(beginPause(undefined, 0, WAIT_MS, RATE)), 1);
    const calm = beginPause(first, first.endsAt + WAIT_MS, WAIT_MS, RATE);
    const next = beginPause(withNotice(withExcess(calm), 2), calm.endsAt, WAIT_MS, RATE);
    const blames = [1, 2].map((pong) => isViolation(withExcess(noticed(next, pong)), next));
    expect(blames).toEqual([false, true]);
  });

  it('is not blamed for commands that it may send all the same, and for the first other one between them', () => {
    let pause = noticed(withNotice(withExcess(beginPause(undefined, 0, WAIT_MS, RATE)), 1), 1);
    const blames = [false, false, true, false, true].map((isToBeHeeded) => {
      const before = pause;
      pause = withExcess(pause, isToBeHeeded);
      return isViolation(pause, before);
    });
    expect([blames, pause.excess]).toEqual([[false, false, true, false, false], 6]);
  });

  it('is not paused for longer than its tokens take to be there again, since more cannot be saved up', () => {
    const pauses: number[] = [];
    let pause: RatePause | undefined;
    for (let n = 0; n < 5; n++) {
      pause = withExcess(beginPause(pause, pause?.endsAt ?? 0, WAIT_MS, { perSecond: 20, burst: 6 }));
      pauses.push(pause.pauseMs);
    }
    expect(pauses).toEqual([50, 100, 200, 300, 300]);
  });

  it('is not blamed more often because its pauses are short', () => {
    const blames: number[] = [];
    let pause = noticed(withNotice(withExcess(beginPause(undefined, 0, 5, { perSecond: 200, burst: 20 })), 1), 1);
    while (pause.endsAt < 4_000) {
      const before = beginPause(pause, pause.endsAt, 5, { perSecond: 200, burst: 20 });
      pause = withExcess(before);
      if (isViolation(pause, before)) blames.push(pause.endsAt - pause.pauseMs);
    }
    const gaps = blames.slice(1).map((at, n) => at - blames[n]!);
    expect(gaps).toEqual([10, 20, 40, 80, 200, 700, 1_000, 1_000]);
  });

  it('waits for the token where that takes longer than any pause', () => {
    expect(beginPause(undefined, 0, 60_000, { perSecond: 1 / 60, burst: 1 }).pauseMs).toBe(60_000);
  });

  it('is not paused for longer than a second after any number of pauses', () => {
    let pause: RatePause | undefined;
    for (let n = 0; n < 5_000; n++) pause = withExcess(beginPause(pause, pause?.endsAt ?? 0, WAIT_MS, RATE));
    expect(pause?.pauseMs).toBe(1_000);
  });
});
