import { expect, it } from 'vitest';
import { TEXT_JS } from './text-js.js';

const text = (await import(/* @vite-ignore */ `data:text/javascript,${encodeURIComponent(TEXT_JS)}`)) as Record<
  'count' | 'rate' | 'bytes' | 'milliseconds' | 'duration' | 'short',
  (value: unknown) => string
>;

it.each([
  ['count', 1_234_567, '1,234,567'],
  ['count', undefined, '–'],
  ['rate', 0, '0'],
  ['rate', 0.44, '0.4'],
  ['rate', 99.9, '99.9'],
  ['rate', 1_234.4, '1,234'],
  ['rate', undefined, '–'],
  ['bytes', 999, '999 B'],
  ['bytes', 1_536, '1.5 KiB'],
  ['bytes', 5 * 2 ** 30, '5.0 GiB'],
  ['milliseconds', 5.25, '5.3 ms'],
  ['duration', 999, '0 s'],
  ['duration', 61_000, '1 min 1 s'],
  ['duration', 3_600_000, '1 h'],
  ['duration', 90_061_000, '1 d 1 h'],
  ['duration', -5, '0 s'],
  ['short', 'node-1', 'node-1'],
  ['short', 'zbPlPviPxDvHUG4S', 'zbPlPviP…'],
] as const)('%s of %j is %s', (name, value, expected) => {
  expect(text[name](value)).toBe(expected);
});
