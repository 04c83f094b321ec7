import { describe, expect, it } from 'vitest';
import { defersFrames, READING_PAUSES, withoutPause, withPause, type ReadingPause } from './reading-pause.js';

const reasons = Object.keys(READING_PAUSES) as ReadingPause[];

describe('the reasons for not reading', () => {
  it('are each left alone when another one ends', () => {
    const all = reasons.reduce(withPause, 0);
    for (const reason of reasons) {
      const others = reasons.filter((each) => each !== reason);
      expect(others.reduce(withoutPause, all)).toBe(READING_PAUSES[reason]);
    }
  });

  it('are none once each has ended', () => {
    expect(reasons.reduce(withoutPause, reasons.reduce(withPause, 0))).toBe(0);
  });

  it.each([
    [true, ['rate', 'shutdown']],
    [false, ['mailbox', 'rate', 'shutdown']],
  ])('keep frames that were read from being decoded, with a large mailbox (%s) all but %j', (isLarge, decoded) => {
    expect(reasons.filter((reason) => !defersFrames(READING_PAUSES[reason], isLarge))).toEqual(decoded);
  });

  it.each(reasons)('count once: %s', (reason) => {
    const twice = withPause(withPause(0, reason), reason);
    expect(withoutPause(twice, reason)).toBe(0);
  });
});
