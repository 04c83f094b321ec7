import { describe, expect, it } from 'vitest';
import { FleetSight } from './fleet-sight.js';

const GRACE_MS = 10_000;
const GAP_MS = 12_000;
/** The server has run for days. */
const LONG_AGO = -1e9;

/** The moments, of those around the end of the grace period, at which the fleet is known. */
function knownAround(sight: FleetSight, end: number, serverStartedBy: number): readonly boolean[] {
  return [end - GRACE_MS, end - 1, end].map((now) => sight.isWhole(now, serverStartedBy));
}

describe('a fleet', () => {
  it('is known to a node that starts, once it has read the leases', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.open();
    expect(sight.isWhole(0, LONG_AGO)).toBe(false);
    sight.read(1, Infinity);
    expect(sight.isWhole(1, LONG_AGO)).toBe(true);
  });

  it('is unknown to a node that starts until the server has been up for the grace period', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    expect(knownAround(sight, GRACE_MS, 0)).toEqual([false, false, true]);
  });

  it('is unknown again when the server has started again, whatever was known before', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    for (let at = 0; at <= 20_000; at += 5_000) sight.read(at, Infinity);
    expect(sight.isWhole(20_000, LONG_AGO)).toBe(true);
    expect(knownAround(sight, 20_000 + GRACE_MS, 20_000)).toEqual([false, false, true]);
  });

  it('is unknown to a node that starts until the server has lost no leases for the grace period', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.open();
    sight.read(0, 4_000);
    expect([0, 5_999, 6_000].map((now) => sight.isWhole(now, LONG_AGO))).toEqual([false, false, true]);
  });

  it('is known to a node that starts after the server has lost no leases for the grace period', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, GRACE_MS);
    expect(sight.isWhole(0, LONG_AGO)).toBe(true);
  });

  it('stays known to a node that has read the leases before the server loses them', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    sight.read(5_000, 0);
    expect(sight.isWhole(5_000, LONG_AGO)).toBe(true);
  });

  it('is unknown while the server is not known', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    expect(sight.isWhole(0, Infinity)).toBe(false);
  });

  it('stays known over a gap in which no lease can have ended unseen', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    sight.fail();
    sight.read(GAP_MS, Infinity);
    expect(sight.isWhole(GAP_MS, LONG_AGO)).toBe(true);
  });

  it('is unknown during a longer gap, before anything is read again', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    expect([GAP_MS, GAP_MS + 1].map((now) => sight.isWhole(now, LONG_AGO))).toEqual([true, false]);
  });

  it('is unknown for the grace period after a longer gap', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.read(0, Infinity);
    sight.read(GAP_MS + 1, Infinity);
    expect(knownAround(sight, GAP_MS + 1 + GRACE_MS, LONG_AGO)).toEqual([false, false, true]);
  });

  it('is unknown for the grace period to a node that could not read the leases when it started', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.open();
    sight.fail();
    expect(sight.isWhole(0, LONG_AGO)).toBe(false);
    sight.read(1_000, Infinity);
    expect(knownAround(sight, 1_000 + GRACE_MS, LONG_AGO)).toEqual([false, false, true]);
  });

  it('is not unknown for longer, however often the leases are read', () => {
    const sight = new FleetSight(GRACE_MS, GAP_MS);
    sight.fail();
    for (let at = 0; at < GRACE_MS; at += 1_000) sight.read(at, Infinity);
    expect(knownAround(sight, GRACE_MS, LONG_AGO)).toEqual([false, false, true]);
  });
});
