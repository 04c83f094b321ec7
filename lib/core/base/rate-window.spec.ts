import { expect, it } from 'vitest';
import { RateWindow } from './rate-window.js';

const totals = (a: number, b?: number) => new Map([['a', a], ...(b === undefined ? [] : [['b', b] as const])] as const);

it('has no rate before the second reading', () => {
  expect(new RateWindow().read(0, totals(500))).toBeUndefined();
});

it('is what was added per second since the reading before', () => {
  const window = new RateWindow();
  window.read(0, totals(100));
  expect(window.read(2_000, totals(150))).toEqual(totals(25));
  expect(window.read(6_000, totals(150))).toEqual(totals(0));
});

it('counts a number that is new from 0', () => {
  const window = new RateWindow();
  window.read(0, totals(1));
  expect(window.read(2_000, totals(1, 8))).toEqual(totals(0, 4));
});

it('gives two readers the same rates', () => {
  const window = new RateWindow();
  window.read(0, totals(0));
  const first = window.read(2_000, totals(10));
  expect(window.read(2_100, totals(1_000))).toEqual(first);
});

it('begins again when nobody has read for long, and when the clock went back', () => {
  const window = new RateWindow();
  window.read(0, totals(0));
  expect(window.read(60_000, totals(6_000))).toBeUndefined();
  expect(window.read(62_000, totals(6_010))).toEqual(totals(5));
  expect(window.read(1_000, totals(6_020))).toBeUndefined();
  expect(window.read(3_000, totals(6_040))).toEqual(totals(10));
});
