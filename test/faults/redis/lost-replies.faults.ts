import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HeardSequences } from '../../../lib/adapters/redis/connection/heard-sequences.js';
import { RedisConnection } from '../../../lib/adapters/redis/connection/redis-connection.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { Fleet } from './fleet.js';
import { NO_FAULTS, Traffic } from './traffic.js';

/** Has a node's connections cut in between what it publishes and Redis's answer, again and again, while all publish. */
async function loseReplies(times: number): Promise<{ readonly fleet: Fleet; readonly traffic: Traffic }> {
  const fleet = await Fleet.start();
  const traffic = new Traffic(fleet, { from: [0, 1] });
  for (let time = 0; time < times; time++) {
    await delay(100);
    await fleet.nodes[0]!.proxy.cutAfterRequest('PUBLISH');
    await fleet.healed();
  }
  await traffic.stop();
  return { fleet, traffic };
}

describe('When a connection breaks between a publication and Redis’s answer', () => {
  it('it arrives at most once, in one order, and is not reported as complete', async () => {
    const crashes = watchForCrashes();
    const { traffic } = await loseReplies(4);
    expect(traffic.faults).toEqual(NO_FAULTS);
    expect(traffic.reports.incomplete).toBeGreaterThanOrEqual(4);
    expect(crashes).toEqual([]);
  });

  it('it would arrive twice if nodes went on listening, and did not recognise what they have had', async () => {
    const restart = vi.spyOn(RedisConnection.prototype, 'restart').mockReturnValue();
    const isNew = vi.spyOn(HeardSequences.prototype, 'isNew').mockReturnValue(true);
    onTestFinished(() => [restart, isNew].forEach((spy) => spy.mockRestore()));
    const { traffic } = await loseReplies(4);
    expect(traffic.faults.repeated).not.toEqual([]);
  });
});
