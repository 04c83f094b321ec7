import { describe, expect, it } from 'vitest';
import { beginPause, isViolation, withExcess, type RatePause } from './rate-pause.js';

/** What comes in one pause after another: how many commands too many, and after how many milliseconds since the last pause. */
type Conduct = readonly (readonly [excess: number, afterMs: number])[];

const WAIT_MS = 50;
const BURST = 100;

/** @returns the length of each pause, and the violations in it */
function follow(conduct: Conduct): { readonly pauses: number[]; readonly violations: number[] } {
  const pauses: number[] = [];
  const violations: number[] = [];
  let pause: RatePause | undefined;
  for (const [excess, afterMs] of conduct) {
    pause = beginPause(pause, (pause?.endsAt ?? 0) + afterMs, WAIT_MS);
    pauses.push(pause.pauseMs);
    let count = 0;
    for (let n = 0; n < excess; n++) {
      pause = withExcess(pause);
      if (isViolation(pause, BURST)) count += 1;
    }
    violations.push(count);
  }
  return { pauses, violations };
}

describe('a client whose rate limit is used up', () => {
  it.each<[string, Conduct, number[], number[]]>([
    ['within its limit is read again with the next token', [[0, 0]], [50], [0]],
    ['slowed down by not being read does nothing wrong', Array(4).fill([0, 0]), [50, 50, 50, 50], [0, 0, 0, 0]],
    ['is not blamed for what was on its way', [[99, 0]], [50], [0]],
    [
      'is blamed once for each pause that it ignores, and the pauses double',
      Array(7).fill([2, 0]),
      [50, 100, 200, 400, 800, 1_000, 1_000],
      [0, 1, 1, 1, 1, 1, 1],
    ],
    ['is blamed for each burst that is sent in one go', [[350, 0]], [50], [3]],
    [
      'that slows down begins anew',
      [
        [1, 0],
        [1, 0],
        [1, 100],
        [1, 0],
      ],
      [50, 100, 50, 100],
      [0, 1, 0, 1],
    ],
    [
      'that keeps to one pause begins anew',
      [
        [1, 0],
        [0, 0],
        [1, 0],
      ],
      [50, 100, 50],
      [0, 0, 0],
    ],
  ])('%s', (_what, conduct, pauses, violations) => {
    expect(follow(conduct)).toEqual({ pauses, violations });
  });

  it('waits for the token where that takes longer than any pause', () => {
    expect(beginPause(undefined, 0, 60_000).pauseMs).toBe(60_000);
  });

  it('is not paused for longer than a second after any number of pauses', () => {
    let pause: RatePause | undefined;
    for (let n = 0; n < 5_000; n++) pause = withExcess(beginPause(pause, pause?.endsAt ?? 0, WAIT_MS));
    expect(pause?.pauseMs).toBe(1_000);
  });
});
