import { describe, expect, it } from 'vitest';
import { EXPIRY_WARNING_MS, tokenLife, type TokenLife } from './token-life.js';

const END = Date.UTC(2030, 0, 1);
const DAY = 86_400_000;

describe('a token', () => {
  it.each<[what: string, leftMs: number, life: TokenLife]>([
    ['with 40 days to live, longer than timers last', 40 * DAY, 'alive'],
    ['with a moment more than the warning', EXPIRY_WARNING_MS + 1, 'alive'],
    ['with as long as the warning', EXPIRY_WARNING_MS, 'expiring'],
    ['with a moment left', 1, 'expiring'],
    ['at its end', 0, 'expiring'],
    ['a moment before clocks cannot differ by more', -4_999, 'expiring'],
    ['when clocks cannot differ by more', -5_000, 'expired'],
    ['long after its end', -40 * DAY, 'expired'],
  ])('%s', (_what, leftMs, life) => {
    expect(tokenLife(new Date(END), END - leftMs, 5)).toBe(life);
  });

  it('expires at its end where clocks do not differ', () => {
    expect([1, 0].map((leftMs) => tokenLife(new Date(END), END - leftMs, 0))).toEqual(['expiring', 'expired']);
  });

  it('is warned of as early however much clocks may differ', () => {
    expect(tokenLife(new Date(END), END - EXPIRY_WARNING_MS, 300)).toBe('expiring');
  });
});
