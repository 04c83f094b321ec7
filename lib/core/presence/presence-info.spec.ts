import { describe, expect, it } from 'vitest';
import { explainInfoSize, isSameInfo } from './presence-info.js';

describe('the size of an info', () => {
  it.each([
    [0, 1_024],
    [1_024, 1_024],
    [1_000_000, Infinity],
  ])('of %d bytes is accepted where %d are allowed', (bytes, max) => {
    expect(explainInfoSize(bytes, max)).toBeUndefined();
  });

  it('above the limit is refused with both numbers', () => {
    expect(explainInfoSize(1_025, 1_024)).toBe('has 1025 bytes as JSON, and limits.maxPresenceInfoBytes is 1024');
  });
});

it.each<[unknown, unknown, boolean]>([
  [{ away: true }, { away: true }, true],
  [undefined, undefined, true],
  [{ away: true }, { away: false }, false],
  [null, undefined, false],
])('the infos %j and %j: the same is %s', (a, b, isSame) => {
  expect(isSameInfo(a, b)).toBe(isSame);
});
