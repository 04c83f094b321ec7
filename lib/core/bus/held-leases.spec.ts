import { describe, expect, it } from 'vitest';
import { HeldLeases } from './held-leases.js';

const LEASE_MS = 15_000;
const GRACE_MS = 10_000;

/** Reads at once what is listed, with what is left of each lease. */
function read(leases: HeldLeases, at: number, listed: Readonly<Record<string, number>>): void {
  leases.read(new Map(Object.entries(listed)), at, at);
}

describe('a node whose lease vanishes before its end', () => {
  /** Node a had this much of its lease left when the data were lost, at 0 ms. */
  function lost(leftMs: number): HeldLeases {
    const leases = new HeldLeases(GRACE_MS);
    read(leases, -1_000, { a: leftMs + 1_000, b: LEASE_MS });
    read(leases, 0, { b: LEASE_MS });
    return leases;
  }

  it.each([200, 5_000, 9_999])('is missing for the grace period, though %s ms of its lease were left', (leftMs) => {
    const leases = lost(leftMs);
    expect([GRACE_MS - 1, GRACE_MS].map((at) => leases.isAnyMissing(at))).toEqual([true, false]);
  });

  it('is missing until its lease would have ended, if that is later', () => {
    const leases = lost(LEASE_MS - 1_000);
    expect([LEASE_MS - 1_001, LEASE_MS - 1_000].map((at) => leases.isAnyMissing(at))).toEqual([true, false]);
  });

  it('is not missing any more once it is listed again', () => {
    const leases = lost(5_000);
    read(leases, 500, { a: LEASE_MS, b: LEASE_MS });
    expect(leases.isAnyMissing(500)).toBe(false);
  });

  it('is not missing any more once it says that it ends', () => {
    const leases = lost(5_000);
    leases.end('a', 1);
    expect(leases.isAnyMissing(1)).toBe(false);
  });

  it('is not waited for longer, however often the leases are read', () => {
    const leases = lost(5_000);
    for (let at = 1_000; at < GRACE_MS; at += 1_000) read(leases, at, { b: LEASE_MS });
    expect([GRACE_MS - 1, GRACE_MS].map((at) => leases.isAnyMissing(at))).toEqual([true, false]);
  });
});

describe('a node whose lease ends', () => {
  it('is not missing: it has crashed, or is cut off', () => {
    const leases = new HeldLeases(GRACE_MS);
    read(leases, 0, { a: 5_000 });
    read(leases, 5_000, {});
    expect(leases.isAnyMissing(5_000)).toBe(false);
  });

  it('is not missing when the answer took a while, or when the clock of Redis is a little ahead', () => {
    const leases = new HeldLeases(GRACE_MS);
    leases.read(new Map([['a', 5_000]]), 0, 400);
    leases.read(new Map(), 4_950, 4_960);
    expect(leases.isAnyMissing(4_960)).toBe(false);
  });

  it('is not missing when it has said that it ends before its lease was removed', () => {
    const leases = new HeldLeases(GRACE_MS);
    read(leases, 0, { a: LEASE_MS });
    leases.end('a', 50);
    read(leases, 100, {});
    expect(leases.isAnyMissing(100)).toBe(false);
  });
});

describe('a node that says that it ends', () => {
  it('is not believed to be listed by an answer to an earlier request', () => {
    const leases = new HeldLeases(GRACE_MS);
    leases.end('a', 100);
    expect([99, 100, 101].map((askedAt) => leases.hasEndedSince('a', askedAt))).toEqual([true, true, false]);
  });

  it('is forgotten with the first later request: whoever may publish cannot hide a node for longer', () => {
    const leases = new HeldLeases(GRACE_MS);
    leases.end('a', 100);
    read(leases, 101, { a: LEASE_MS });
    expect(leases.hasEndedSince('a', 0)).toBe(false);
  });
});
