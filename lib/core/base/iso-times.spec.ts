import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { IsoTimes } from './iso-times.js';

const format = (ms: number) => new Date(ms).toISOString();

it('Times are written as a Date writes them, on the same day and on others', () => {
  const time = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.getTime()),
    fc.integer({ min: -2 * 86_400_000, max: 2 * 86_400_000 }),
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
  );
  const times = new IsoTimes(format);
  fc.assert(
    fc.property(time, (ms) => {
      expect(times.text(ms)).toBe(format(ms));
    }),
  );
});

it('A day is formatted once', () => {
  const formatted = vi.fn(format);
  const times = new IsoTimes(formatted);
  const noon = Date.UTC(2026, 10, 29, 12);
  for (const ms of [noon, noon + 1, noon + 43_199_999, noon + 43_200_000]) expect(times.text(ms)).toBe(format(ms));
  expect(formatted).toHaveBeenCalledTimes(2);
});

it.each([NaN, Infinity, 8.64e15 + 1])('A time that does not exist is refused every time: %s', (ms) => {
  const times = new IsoTimes(format);
  expect(() => times.text(ms)).toThrow(RangeError);
  expect(() => times.text(ms)).toThrow(RangeError);
});
