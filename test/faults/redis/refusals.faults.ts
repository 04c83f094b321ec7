import { user } from 'nestjs-realtime';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisRefusals } from '../../../lib/adapters/redis/connection/redis-refusals.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { Fleet } from './fleet.js';

/** Redis can be reached, and refuses to run scripts of this user, or to write. */
const REFUSING = {
  NOPERM: (fleet: Fleet) => fleet.redis.cli('ACL', 'SETUSER', 'default', '-evalsha', '-eval'),
  OOM: (fleet: Fleet) => fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '1'),
};

async function refused(kind: keyof typeof REFUSING) {
  const logs = collectLogs();
  const fleet = await Fleet.start();
  await REFUSING[kind](fleet);
  const [node] = fleet.nodes;
  const outcomes = [];
  for (let n = 0; n < 5; n++) {
    outcomes.push(await node!.realtime.disconnect(user('nobody')).catch((error: unknown) => error as Error));
  }
  return { node: node!, outcomes, said: () => logs.filter((line) => line.includes(`Redis refuses: ${kind} `)) };
}

describe('What Redis refuses although it can be reached', () => {
  it('is logged once with its own text and counted, and stands in the error', async () => {
    const { node, outcomes, said } = await refused('NOPERM');
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('NOPERM') });
    }
    expect(said().length).toBeGreaterThan(0);
    expect(said().length).toBeLessThanOrEqual(2);
    expect(node.bus.refusals.get('NOPERM')).toBeGreaterThanOrEqual(5);
    expect(node.realtime.isAttached).toBe(true);
  });

  it('is an order that cannot be kept: it is carried out, and its report is not complete', async () => {
    const { node, outcomes, said } = await refused('OOM');
    for (const outcome of outcomes) expect(outcome).toMatchObject({ complete: false });
    expect(said().length).toBeGreaterThan(0);
    expect(node.bus.refusals.get('OOM')).toBeGreaterThanOrEqual(5);
  });

  it('would pass in silence if nobody noted it', async () => {
    const note = vi.spyOn(RedisRefusals.prototype, 'note').mockReturnValue();
    onTestFinished(() => note.mockRestore());
    const { node, said } = await refused('NOPERM');
    expect([said(), node.bus.refusals.size]).toEqual([[], 0]);
  });
});
