import { describe, expect, it } from 'vitest';
import { isPromise } from './awaitable.js';

// oxlint-disable-next-line unicorn/no-thenable -- what it takes for a promise is tested
const objectWith = (then: unknown) => Object.fromEntries([['then', then]]);

describe('isPromise', () => {
  it.each<[string, unknown]>([
    ['a promise', Promise.resolve()],
    ['a promise of another library', objectWith(() => undefined)],
  ])('is true for %s', (_what, value) => {
    expect(isPromise(value)).toBe(true);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'then'],
    ['an object whose "then" is a text', objectWith('later')],
  ])('is false for %s', (_what, value) => {
    expect(isPromise(value)).toBe(false);
  });
});
