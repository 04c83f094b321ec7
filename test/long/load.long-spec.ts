import { describe, expect, it } from 'vitest';
import { soak } from '../soak/soak.js';

/** Another one, or more minutes: npm run soak -- --minutes 10 --seed 7 */
const SEED = 1;

describe('A minute among villains, under faults,', () => {
  it('costs those who behave nothing, and leaves nothing behind', async () => {
    const { violations, acknowledged, faults } = await soak({ seed: SEED, durationMs: 60_000 });
    expect(violations).toEqual({});
    expect([acknowledged > 100, Object.keys(faults).length > 4]).toEqual([true, true]);
  }, 180_000);

  it('would be seen to cost them something if the node lost messages and kept sessions', async () => {
    const spec = { standIns: ['a bus that loses' as const], flaws: ['sessions are kept' as const] };
    const { violations } = await soak({ seed: SEED, durationMs: 6_000, spec });
    expect(Object.keys(violations)).toEqual(expect.arrayContaining(['lost', 'leaked']));
  });
});
