import { describe, expect, it } from 'vitest';
import { isTraceparent } from './traceparent.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  it.each([`00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-00`, `00-${TRACE}-${SPAN}-ff`])('is %s', (value) => {
    expect(isTraceparent(value)).toBe(true);
  });

  it.each<unknown>([
    undefined,
    null,
    7,
    {},
    [`00-${TRACE}-${SPAN}-01`],
    '',
    `01-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01\n`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}`,
    'x'.repeat(55),
    '0'.repeat(1_000_000),
  ])('is not %j', (value) => {
    expect(isTraceparent(value)).toBe(false);
  });
});
