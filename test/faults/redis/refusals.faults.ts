import { user } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisRefusals } from '../../../lib/adapters/redis/connection/redis-refusals.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { Fleet } from './fleet.js';
import { ROOM, startPresenceApp, usersOf } from './presence-scene.js';

/** Redis can be reached, and refuses to run scripts of this user, or to write. */
const REFUSING = {
  NOPERM: (fleet: Fleet) => fleet.redis.cli('ACL', 'SETUSER', 'default', '-evalsha', '-eval'),
  OOM: (fleet: Fleet) => fleet.redis.cli('CONFIG', 'SET', 'maxmemory', '1'),
  MISCONF: ({ redis }: Fleet) => unsavable(redis),
};

/** Something stands in the place of the file that Redis saves to. */
async function unsavable(redis: RedisServer): Promise<void> {
  await mkdir(join(redis.dir, 'dump.rdb', 'occupied'), { recursive: true });
  await redis.cli('CONFIG', 'SET', 'save', '3600 1');
  await redis.cli('BGSAVE');
  await expect.poll(() => redis.cli('INFO', 'persistence')).toContain('last_bgsave_status:err');
}

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

  it.each(['OOM', 'MISCONF'] as const)(
    'is an order that cannot be kept (%s): it is carried out, and its report is not complete',
    async (kind) => {
      const { node, outcomes, said } = await refused(kind);
      for (const outcome of outcomes) expect(outcome).toMatchObject({ complete: false });
      expect(said().length).toBeGreaterThan(0);
      expect(node.bus.refusals.get(kind)).toBeGreaterThanOrEqual(5);
    },
  );

  it('would pass in silence if nobody noted it', async () => {
    const note = vi.spyOn(RedisRefusals.prototype, 'note').mockReturnValue();
    onTestFinished(() => note.mockRestore());
    const { node, said } = await refused('NOPERM');
    expect([said(), node.bus.refusals.size]).toEqual([[], 0]);
  });
});

describe('What Redis refuses of presence although it can be reached', () => {
  it.each<
    [kind: string, refuse: (redis: RedisServer) => Promise<unknown>, allow: (redis: RedisServer) => Promise<unknown>]
  >([
    [
      'NOPERM',
      (redis) => redis.cli('ACL', 'SETUSER', 'default', '-evalsha', '-eval'),
      (redis) => redis.cli('ACL', 'SETUSER', 'default', '+evalsha', '+eval'),
    ],
    ['MISCONF', unsavable, (redis) => redis.cli('CONFIG', 'SET', 'stop-writes-on-bgsave-error', 'no')],
  ])(
    'is logged once and counted, stands in the error (%s), and is made up for afterwards',
    async (kind, refuse, allow) => {
      const logs = collectLogs();
      const redis = await startRedis();
      const app = await startPresenceApp(redis);
      const bus = app.app.get<Fleet['nodes'][number]['bus']>(MessageBus);
      await refuse(redis);
      const ann = await app.connectAs('ann');
      await ann.request({ action: 'subscribe', topic: ROOM });
      await expect(usersOf(app)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining(kind),
        cause: expect.objectContaining({ message: expect.stringContaining(kind) }),
      });
      expect(app.realtime.isAttached).toBe(true);
      expect(bus.refusals.get(kind)).toBeGreaterThan(0);
      expect(logs.filter((line) => line.includes(`Redis refuses: ${kind} `))).toHaveLength(1);
      await allow(redis);
      await expect.poll(() => usersOf(app).catch(() => [])).toEqual(['ann']);
    },
  );
});
