import { describe, expect, it } from 'vitest';
import { RetryTimes } from './retry-times.js';

describe('refused commands', () => {
  it('come again one after another', () => {
    const times = new RetryTimes();
    expect([times.after(0, 30, 100), times.after(0, 30, 100)]).toEqual([30, 130]);
  });

  it('come after those that were refused in earlier pauses', () => {
    const times = new RetryTimes();
    for (let n = 0; n < 10; n++) times.after(0, 100, 100);
    expect([times.after(500, 100, 100), times.after(500, 100, 100)]).toEqual([600, 700]);
  });

  it('come with the next token when all others had their time', () => {
    const times = new RetryTimes();
    times.after(0, 100, 100);
    expect(times.after(1_000, 20, 100)).toBe(20);
  });

  it('come after a command that takes several tokens', () => {
    const times = new RetryTimes();
    times.after(0, 100, 500);
    expect(times.after(0, 100, 100)).toBe(600);
  });

  it('wait for ten seconds at most, unless the token takes longer', () => {
    const times = new RetryTimes();
    const waits = Array.from({ length: 3_000 }, () => times.after(0, 50, 50));
    expect([waits[198], waits[199], waits[200], waits[2_999]]).toEqual([9_950, 10_000, 10_000, 10_000]);
    expect([times.after(5_000, 50, 50), times.after(5_000, 60_000, 50)]).toEqual([5_000, 60_000]);
  });

  it('are all back in time if each comes when it was told to, also those that were told the longest time', () => {
    const times = new RetryTimes();
    const waits = Array.from({ length: 3_000 }, () => times.after(0, 50, 50));
    expect(waits.filter((wait) => !times.isBack(wait))).toEqual([]);
  });

  it('may be back when their time has come, each once', () => {
    const times = new RetryTimes();
    for (let n = 0; n < 3; n++) times.after(0, 100, 100);
    const back = (now: number) => [times.isBack(now), times.isBack(now)];
    expect([back(99), back(100), back(300), back(1_000)]).toEqual([
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ]);
  });

  it('may be back late, also after others were refused', () => {
    const times = new RetryTimes();
    for (let n = 0; n < 2; n++) times.after(0, 100, 100);
    times.after(1_000, 50, 100);
    expect([times.isBack(1_000), times.isBack(1_000), times.isBack(1_000), times.isBack(1_050)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('may be back in the order in which they were told, whatever they cost', () => {
    const times = new RetryTimes();
    times.after(0, 100, 1_000);
    times.after(0, 100, 100);
    expect([times.isBack(99), times.isBack(100), times.isBack(1_200)]).toEqual([false, true, true]);
  });

  it('may come at any time when there are tokens to spare, and so do not delay others', () => {
    const times = new RetryTimes();
    for (let n = 0; n < 100; n++) times.after(0, 100, 100);
    times.release();
    expect([times.after(1_000, 50, 100), times.isBack(1_000)]).toEqual([50, true]);
  });

  it('are forgotten above 4,096', () => {
    const times = new RetryTimes();
    for (let n = 0; n < 5_000; n++) times.after(0, 100, 100);
    times.release();
    expect(Array.from({ length: 5_000 }, () => times.isBack(0)).filter(Boolean)).toHaveLength(4_096);
  });

  it('do not wait for a clock that was set back', () => {
    const times = new RetryTimes();
    times.after(1e9, 100, 100);
    expect(times.after(0, 100, 100)).toBe(100);
  });
});
