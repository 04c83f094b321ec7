import { describe, expect, it } from 'vitest';
import { AllowancePool } from './allowance-pool.js';
import type { ClientAllowance } from './client-allowance.js';

const APART = {
  answers: { perSecond: 65_536, burst: 655_360 },
  pings: { perSecond: 1, burst: 10 },
  refusals: { perSecond: 1, burst: 1_000 },
};
const RATE = { ...APART, perSecond: 10, burst: 10, opening: 0, total: { perSecond: 100, burst: 100 } };
/** How long it takes to fill. */
const FILL_MS = 1_000;

function spend(allowance: ClientAllowance, count: number, now = 0): ClientAllowance {
  for (let n = 0; n < count; n++) allowance.take(now);
  return allowance;
}

describe('the allowances of a user', () => {
  it('are taken as they were returned, when all were used', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    pool.giveBack('ann', spend(pool.take('ann', 0, 0), 7), 0);
    expect(pool.take('ann', 0, 0).spent(0)).toBe(7);
  });

  it('refill while nobody has them', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    pool.giveBack('ann', spend(pool.take('ann', 0, 0), 10), 0);
    expect(pool.take('ann', 0, 500).spent(500)).toBe(5);
  });

  it('are as many as a user may have connections, those in use included', () => {
    const pool = new AllowancePool(RATE, 3, 0);
    pool.giveBack('ann', spend(pool.take('ann', 0, 0), 10), 0);
    expect([pool.take('ann', 1, 0).spent(0), pool.take('ann', 2, 0).spent(0)]).toEqual([0, 10]);
  });

  it('are taken the fullest first', () => {
    const pool = new AllowancePool(RATE, 3, 0);
    const taken = [0, 1, 2].map((inUse) => pool.take('ann', inUse, 0));
    [9, 2, 5].forEach((count, at) => pool.giveBack('ann', spend(taken[at]!, count), 0));
    expect([0, 1, 2].map((inUse) => pool.take('ann', inUse, 0).spent(0))).toEqual([2, 5, 9]);
  });

  it('are no concern of another user', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    pool.giveBack('ann', spend(pool.take('ann', 0, 0), 10), 0);
    expect(pool.take('bob', 0, 0).spent(0)).toBe(0);
  });

  it('are returned with what was sent to gateways with a rate of their own', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    const cursor = { commandsPerSecond: 60, commandBurst: 2 };
    const sent = () => {
      const allowance = pool.take('ann', 0, 0);
      const waits = [1, 2, 3].map(() => allowance.take(0, false, cursor));
      pool.giveBack('ann', allowance, 0);
      return waits.filter((waitMs) => waitMs === 0).length;
    };
    expect([sent(), sent()]).toEqual([2, 0]);
  });

  it('are returned with the answers that were sent, until these are within their rate', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    const allowance = pool.take('ann', 0, 0);
    allowance.answered(30 * 65_536, 0);
    pool.giveBack('ann', allowance, 0);
    // Others come and go while the answers are owed.
    for (const now of [5_000, 10_000, 15_000]) pool.take('bob', 0, now);
    expect(pool.take('ann', 0, 15_000).answerWait(15_000)).toBe(5_000);
  });

  it('are returned with the pings that were sent', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    const sent = () => {
      const allowance = pool.take('ann', 0, 0);
      const waits = Array.from({ length: 8 }, () => allowance.ping(0));
      pool.giveBack('ann', allowance, 0);
      return waits.filter((waitMs) => waitMs === 0).length;
    };
    expect([sent(), sent()]).toEqual([8, 2]);
  });

  it('are returned with the commands that were refused', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    const refused = () => {
      const allowance = pool.take('ann', 0, 0);
      let count = 0;
      for (; count < 900 && allowance.mayRefuse(0); count++) allowance.refused(0);
      pool.giveBack('ann', allowance, 0);
      return count;
    };
    expect([refused(), refused(), refused()]).toEqual([900, 100, 0]);
  });

  it('bound what a user who connects again and again can send', () => {
    const pool = new AllowancePool(RATE, 4, 0);
    let sent = 0;
    for (let now = 0; now < 10_000; now += 10) {
      const allowance = pool.take('ann', 0, now);
      for (let n = 0; n < 10; n++) if (allowance.take(now) === 0) sent += 1;
      pool.giveBack('ann', allowance, now);
    }
    // Four bursts, and ten seconds of four connections.
    expect(sent).toBeLessThanOrEqual(4 * 10 + 4 * 10 * 10);
  });
});

describe('what is kept', () => {
  it('is nothing that is full', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    pool.giveBack('ann', pool.take('ann', 0, 0), 0);
    expect(pool.size).toBe(0);
  });

  it('is forgotten when it would be full again', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    for (let n = 0; n < 1_000; n++) pool.giveBack(`user-${n}`, spend(pool.take(`user-${n}`, 0, 0), 1), 0);
    pool.take('ann', 0, FILL_MS);
    const between = pool.size;
    pool.take('ann', 0, 2 * FILL_MS);
    expect([between, pool.size]).toEqual([1_000, 0]);
  });

  it('is kept for as long as the slowest gateway takes', () => {
    const pool = new AllowancePool(RATE, 1, 0);
    const slow = { commandsPerSecond: 1, commandBurst: 10 };
    const allowance = pool.take('ann', 0, 0);
    for (let n = 0; n < 10; n++) allowance.take(0, false, slow);
    pool.giveBack('ann', allowance, 0);
    pool.take('bob', 0, 3 * FILL_MS);
    pool.take('bob', 0, 6 * FILL_MS);
    const after = pool.take('ann', 0, 9 * FILL_MS);
    // One that had not been refilled, and one that was taken now, also from those of all gateways together.
    expect([after.take(9 * FILL_MS, false, slow), after.spent(9 * FILL_MS)]).toEqual([0, 3]);
    pool.giveBack('ann', after, 9 * FILL_MS);
    pool.take('bob', 0, 20 * FILL_MS);
    pool.take('bob', 0, 40 * FILL_MS);
    expect(pool.size).toBe(0);
  });

  it('is nothing where a user may have any number of connections', () => {
    const pool = new AllowancePool(RATE, Infinity, 0);
    pool.giveBack('ann', spend(pool.take('ann', 0, 0), 10), 0);
    expect([pool.size, pool.take('ann', 0, 0).spent(0)]).toEqual([0, 0]);
  });
});
