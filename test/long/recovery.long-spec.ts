import { describe, expect, it } from 'vitest';
import { soakCluster } from '../soak/cluster.js';

/** Another one, or more minutes: npm run soak -- --cluster --minutes 10 --seed 7 */
const SEED = 1;

describe('Half a minute in which nodes and Redis fail', () => {
  it('costs nobody anything without a word, and leaves nothing behind', async () => {
    const { violations, acknowledged, faults } = await soakCluster({ seed: SEED, durationMs: 30_000 });
    expect(violations).toEqual({});
    expect([acknowledged > 500, Object.keys(faults).length > 4]).toEqual([true, true]);
  }, 180_000);

  it('would be seen to cost something if nobody could recover', async () => {
    const spec = { flaws: ['nobody recovers' as const] };
    const { violations } = await soakCluster({ seed: SEED, durationMs: 8_000, spec });
    expect(violations).toHaveProperty('silent gap');
  }, 180_000);
});
