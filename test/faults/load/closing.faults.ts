import { describe, expect, it } from 'vitest';
import { connectCrowd, NO_RATES } from './crowd.js';
import type { Closing } from './node/node-control.js';
import { startNode } from './start-node.js';

/** Closes an application with so many clients, of whom some answer nothing any more. */
async function closeWith(size: number, dead: number, timeoutMs: number): Promise<Closing> {
  const node = await startNode({ options: { limits: NO_RATES, drain: { timeoutMs } } });
  const clients = await connectCrowd(node, size);
  for (const client of clients.slice(0, dead)) client.socket.pause();
  return node.ask('close');
}

function spreadMs({ departuresMs }: Closing): number {
  return Math.max(...departuresMs) - Math.min(...departuresMs);
}

describe('Closing an application', () => {
  // 5,000 of them: npm run soak -- --figures
  it('with 1,000 clients, 20 of them dead, takes no longer than it may', async () => {
    const { ms, departuresMs } = await closeWith(1_000, 20, 3_000);
    expect(departuresMs).toHaveLength(1_000);
    expect(ms).toBeLessThan(3_000 + 5_000);
  });

  it('sends 100 clients away over a second', async () => {
    expect(spreadMs(await closeWith(100, 0, 30_000))).toBeGreaterThan(500);
  });

  it('sends 100 clients away at once when there is no time', async () => {
    expect(spreadMs(await closeWith(100, 0, 100))).toBeLessThan(500);
  });
});
