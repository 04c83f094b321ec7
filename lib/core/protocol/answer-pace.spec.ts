import { describe, expect, it } from 'vitest';
import { AnswerPace, answerRateOf } from './answer-pace.js';

const RATE = { perSecond: 1_000, burst: 5_000 };

describe('the pace of answers', () => {
  it('lets a burst through at once', () => {
    const pace = new AnswerPace(RATE, 0);
    pace.spend(5_000, 0);
    expect(pace.wait(0)).toBe(0);
  });

  it('makes the next command wait for as long as what was sent too much takes', () => {
    const pace = new AnswerPace(RATE, 0);
    pace.spend(7_500, 0);
    expect([0, 1_000, 2_499, 2_500].map((now) => pace.wait(now))).toEqual([2_500, 1_500, 1, 0]);
  });

  it('bounds what is sent in the long run, however large single answers are', () => {
    const pace = new AnswerPace(RATE, 0);
    let sent = 0;
    for (let now = 0; now < 60_000; now += Math.max(1, pace.wait(now))) {
      pace.spend(4_000, now);
      sent += 4_000;
    }
    expect(sent).toBeLessThanOrEqual(60 * 1_000 + 5_000 + 2 * 4_000);
  });

  it('saves up no more than the burst', () => {
    const pace = new AnswerPace(RATE, 0);
    pace.spend(6_000, 1_000_000);
    expect(pace.wait(1_000_000)).toBe(1_000);
  });

  it('survives a clock that goes back', () => {
    const pace = new AnswerPace(RATE, 10_000);
    pace.spend(6_000, 10_000);
    expect([pace.wait(0), pace.wait(1_000)]).toEqual([1_000, 0]);
  });

  it.each([
    { perSecond: Infinity, burst: 1 },
    { perSecond: 1, burst: Infinity },
  ])('is without a bound where the rate limit is: %j', (rate) => {
    const pace = new AnswerPace(rate, 0);
    pace.spend(Number.MAX_SAFE_INTEGER, 0);
    expect([pace.wait(0), pace.spent(0), pace.fillMs]).toEqual([0, 0, 0]);
  });

  it('says what is missing, in commands of 64 KiB, and how long it takes to fill', () => {
    const pace = new AnswerPace({ perSecond: 65_536, burst: 2 * 65_536 }, 0);
    pace.spend(3 * 65_536, 0);
    expect([pace.spent(0), pace.fillMs]).toEqual([3, 3_000]);
    expect([pace.spent(2_000), pace.spent(3_000), pace.fillMs]).toEqual([1, 0, 2_000]);
  });

  it('goes with the rate limit for commands', () => {
    const limits = { commandsPerSecond: 20, commandBurst: 100, maxTopicsPerConnection: 128 };
    expect(answerRateOf(limits)).toEqual({ perSecond: 20 * 65_536, burst: 228 * 65_536 });
  });
});
