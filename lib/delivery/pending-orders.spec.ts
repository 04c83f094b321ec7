import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { PendingOrders } from './pending-orders.js';

/** A tenth of a millisecond for each connection. */
const STEP_MS = 0.1;

let now: number;
let log: string[];
let orders: PendingOrders;

beforeEach(() => {
  now = 0;
  log = [];
  orders = new PendingOrders(() => now);
});

const ids = (count: number) => Array.from({ length: count }, (_, n) => `c${n}`);
const carryingOut = (order: string) => (id: string) => {
  now += STEP_MS;
  log.push(`${order} ${id}`);
};

describe('an order for many connections', () => {
  it('is carried out in slices of eight milliseconds, in which others are served', async () => {
    void orders.add(ids(1_000), carryingOut('a'));
    const slices = [now];
    while (log.length < 1_000) {
      const before = now;
      await nextTurn();
      slices.push(now - before);
    }
    expect(log).toEqual(ids(1_000).map((id) => `a ${id}`));
    expect(slices.length).toBeGreaterThanOrEqual(12);
    // The clock is read once in 16 steps.
    expect(Math.max(...slices)).toBeLessThan(8 + 16 * STEP_MS + 0.01);
    await nextTurn();
    expect(orders.isEmpty).toBe(true);
  });

  it('is carried out after the one before', async () => {
    const first = orders.add(ids(200), carryingOut('a'));
    const second = orders.add(ids(200), carryingOut('b'));
    await Promise.all([first, second]);
    expect(log.filter((line) => line.startsWith('b'))).toHaveLength(200);
    expect(log.findIndex((line) => line.startsWith('b'))).toBe(200);
  });

  it('is carried out at once for a connection that has to catch up, and not a second time', async () => {
    const first = orders.add(ids(500), carryingOut('a'));
    const second = orders.add(ids(500), carryingOut('b'));
    orders.catchUp('c499');
    const early = log.slice(-2);
    await Promise.all([first, second]);
    expect(early).toEqual(['a c499', 'b c499']);
    expect(log).toHaveLength(1_000);
    expect(new Set(log).size).toBe(1_000);
  });

  it('that is given while another one is carried out comes to an end, too', async () => {
    let inner: Promise<void> | undefined;
    const outer = orders.add(ids(3), (id) => {
      inner ??= orders.add(ids(2), carryingOut('inner'));
      log.push(`outer ${id}`);
    });
    await Promise.all([outer, inner]);
    expect(log).toEqual(['outer c0', 'outer c1', 'outer c2', 'inner c0', 'inner c1']);
  });

  it('for nobody is over at once', async () => {
    await orders.add([], carryingOut('a'));
    expect([log, orders.isEmpty]).toEqual([[], true]);
  });
});
