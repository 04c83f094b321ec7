import { afterEach, expect, it } from 'vitest';
import { EventLoopDelay } from './event-loop-delay.js';

let now = 0;
const delay = new EventLoopDelay(() => now);

afterEach(() => delay.stop());

/** Keeps the event loop busy. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

it('a blocked event loop is seen in this window and the next, and no longer', async () => {
  now = 0;
  delay.read();
  // The monitor needs one tick before the stall to measure from.
  await new Promise((resolve) => setTimeout(resolve, 100));
  block(300);
  await expect.poll(() => delay.read().max).toBeGreaterThan(0.2);
  now = 10_000;
  delay.read();
  expect(delay.read().max).toBeGreaterThan(0.2);
  now = 20_000;
  delay.read();
  now = 30_000;
  delay.read();
  // Another stall of the machine may be in it, but not that one: nothing was sampled in this turn.
  expect(delay.read().max).toBe(0);
});
