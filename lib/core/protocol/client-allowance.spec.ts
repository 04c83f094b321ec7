import { describe, expect, it } from 'vitest';
import { ClientAllowance, type ClientRate } from './client-allowance.js';

const APART = {
  answers: { perSecond: 65_536, burst: 131_072 },
  pings: { perSecond: 1, burst: 3 },
  refusals: { perSecond: 2, burst: 10 },
};
const RATE: ClientRate = { ...APART, perSecond: 20, burst: 2, opening: 0, total: { perSecond: 100, burst: 5 } };
const CURSOR = { commandsPerSecond: 50, commandBurst: 3 };
const PEN = { commandsPerSecond: 50, commandBurst: 3 };
const SIZED = { maxMessageBytes: 200 };

/** The gateways of the messages that are sent at once; nothing stands for another command. */
function takeAll(allowance: ClientAllowance, now: number, gateways: readonly (object | undefined)[]): number[] {
  return gateways.map((gateway) => allowance.take(now, false, gateway));
}

describe('the allowance of a client', () => {
  it.each([
    ['counts other commands as ever', [undefined, undefined, undefined], [0, 0, 50]],
    ['counts messages to a gateway in its bucket', [CURSOR, CURSOR, CURSOR, CURSOR], [0, 0, 0, 20]],
    ['counts the two apart', [CURSOR, CURSOR, CURSOR, undefined, undefined, undefined], [0, 0, 0, 0, 0, 50]],
    ['counts every gateway apart, even with equal limits', [CURSOR, CURSOR, CURSOR, PEN, PEN], [0, 0, 0, 0, 0]],
    ['bounds all gateways together', [CURSOR, CURSOR, CURSOR, PEN, PEN, PEN], [0, 0, 0, 0, 0, 10]],
    ['counts messages to a gateway without a rate among the others', [SIZED, SIZED, SIZED, undefined], [0, 0, 50, 50]],
  ])('%s', (_effect, gateways, waits) => {
    expect(takeAll(new ClientAllowance(RATE, 0), 0, gateways)).toEqual(waits);
  });

  it('counts a message that costs more in the bucket of its gateway and in that of all gateways', () => {
    const allowance = new ClientAllowance(RATE, 0);
    expect([allowance.take(0, false, CURSOR, 7), allowance.wait(0, CURSOR), allowance.take(0, false, PEN)]).toEqual([
      0, 100, 30,
    ]);
    expect(allowance.take(0)).toBe(0);
  });

  it('says how long a command of each kind has to wait, and which rate holds it back', () => {
    const allowance = new ClientAllowance(RATE, 0);
    takeAll(allowance, 0, [CURSOR, CURSOR, CURSOR, PEN]);
    const before = [undefined, CURSOR, PEN].map((gateway) => [
      allowance.wait(0, gateway),
      allowance.rateOf(0, gateway),
    ]);
    allowance.take(0, false, PEN);
    expect([...before, [allowance.wait(0, PEN), allowance.rateOf(0, PEN)]]).toEqual([
      [0, RATE],
      [20, { perSecond: 50, burst: 3 }],
      [0, { perSecond: 50, burst: 3 }],
      [10, RATE.total],
    ]);
  });

  it('takes nothing of a gateway for a message that all gateways together hold back', () => {
    const allowance = new ClientAllowance(RATE, 0);
    takeAll(allowance, 0, [CURSOR, CURSOR, CURSOR, PEN, PEN, PEN, PEN]);
    expect(takeAll(allowance, 10, [PEN])).toEqual([0]);
  });

  it('lets 60 messages a second pass for an hour, when the gateway allows them', () => {
    const rate = { ...RATE, total: { perSecond: 500, burst: 500 } };
    const allowance = new ClientAllowance(rate, 0);
    const gateway = { commandsPerSecond: 60, commandBurst: 60 };
    let refused = 0;
    for (let n = 0; n < 60 * 3_600; n++) {
      if (allowance.take(Math.floor((n * 1_000) / 60), false, gateway) > 0) refused += 1;
    }
    expect(refused).toBe(0);
  });

  it('never lets more pass than the rate of all gateways together', () => {
    const allowance = new ClientAllowance(RATE, 0);
    const gateways = Array.from({ length: 50 }, () => ({ commandsPerSecond: 1_000, commandBurst: 1_000 }));
    let passed = 0;
    for (let now = 0; now <= 10_000; now += 10) {
      for (const gateway of gateways) if (allowance.take(now, false, gateway) === 0) passed += 1;
    }
    expect(passed).toBe(5 + 10 * 100);
  });

  it('lets commands be refused while the limit for refusals lasts, and again in time', () => {
    const allowance = new ClientAllowance(RATE, 0);
    const refusable = Array.from({ length: 11 }, () => {
      const may = allowance.mayRefuse(0);
      allowance.refused(0);
      return may;
    });
    expect(refusable).toEqual([...Array(10).fill(true), false]);
    expect([499, 500].map((now) => allowance.mayRefuse(now))).toEqual([false, true]);
    expect([allowance.spent(500), allowance.fillMs]).toEqual([9, 5_000]);
  });

  it('counts the refusal of a command that costs more as a hundred for each further token', () => {
    const allowance = new ClientAllowance({ ...RATE, refusals: { perSecond: 1, burst: 500 } }, 0);
    allowance.refused(0, 4);
    expect(allowance.spent(0)).toBe(301);
  });

  it('has spent nothing when it is full again', () => {
    const allowance = new ClientAllowance(RATE, 0);
    takeAll(allowance, 0, [undefined, CURSOR, CURSOR, CURSOR]);
    expect([0, 50, 60].map((now) => allowance.spent(now))).toEqual([1 + 3 + 3, 0.5, 0]);
  });

  it('fills in as long as the slowest rate in use takes', () => {
    const allowance = new ClientAllowance(RATE, 0);
    const before = allowance.fillMs;
    takeAll(allowance, 0, [{ commandsPerSecond: 1, commandBurst: 7 }]);
    expect([before, allowance.fillMs]).toEqual([100, 7_000]);
  });

  it.each([
    ['of a gateway', RATE, { commandsPerSecond: Infinity }, 5],
    ['of all gateways together', { ...RATE, total: { perSecond: Infinity, burst: Infinity } }, CURSOR, 3],
  ])('holds to the other rate without that %s', (_which, rate, gateway, passed) => {
    const waits = takeAll(new ClientAllowance(rate, 0), 0, Array(20).fill(gateway));
    expect(waits.filter((waitMs) => waitMs === 0).length).toBe(passed);
  });
});
