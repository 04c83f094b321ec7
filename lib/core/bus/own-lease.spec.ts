import { describe, expect, it } from 'vitest';
import { OwnLease } from './own-lease.js';

const TTL_MS = 15_000;

/** A lease that was refreshed at these times, each time with an answer after 10 ms. */
function refreshed(...times: readonly number[]): OwnLease {
  const lease = new OwnLease(TTL_MS);
  for (const at of times) lease.refreshed(at, at + 10);
  return lease;
}

describe('the own lease of a node', () => {
  it('is over before it was ever taken', () => {
    expect(refreshed().overFrom(5)).toBe(5);
  });

  it('is over when its time has passed since the last refresh was asked for', () => {
    expect(refreshed(0, 5_000).overFrom(7_000)).toBe(5_000 + TTL_MS);
  });

  it('is over from the time asked about, if it had ended before', () => {
    expect(refreshed(0).overFrom(99_000)).toBe(99_000);
  });

  it('was over where its refresh came late, also when it has been refreshed since', () => {
    expect(refreshed(0, 40_000, 45_000).overFrom(7_000)).toBe(TTL_MS);
  });

  it('was over from the first lapse that had not ended by the time asked about', () => {
    const lease = refreshed(0, 40_000, 80_000);
    expect([20_000, 40_010].map((since) => lease.overFrom(since))).toEqual([20_000, 40_000 + TTL_MS]);
  });

  it('takes many old lapses for one', () => {
    const lease = refreshed(...Array.from({ length: 100 }, (_, n) => n * 20_000));
    expect([0, 50_000].map((since) => lease.overFrom(since))).toEqual([TTL_MS, 50_000]);
    expect(lease.overFrom(1_960_010)).toBe(1_960_000 + TTL_MS);
  });
});
