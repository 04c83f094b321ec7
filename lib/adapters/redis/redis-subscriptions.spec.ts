import { beforeEach, describe, expect, it, vi } from 'vitest';
import { RedisBusNode } from '../../../test/helpers/redis-bus-node.js';
import { startRedis, type RedisServer } from '../../../test/helpers/redis-server.js';

const SUBJECTS = Array.from({ length: 1_500 }, (_, i) => `topic:${i}`);

let redis: RedisServer;

beforeEach(async () => {
  redis = await startRedis();
});

/** How often Redis was told to do something since its statistics were begun anew. */
async function calls(command: 'subscribe' | 'unsubscribe'): Promise<number> {
  const stats = await redis.cli('INFO', 'commandstats');
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
}

const subscribers = async (subject: string) =>
  (await redis.cli('PUBSUB', 'NUMSUB', `realtime:${subject}`)).split('\n')[1];

async function start(lingerMs: number): Promise<RedisBusNode> {
  const node = await RedisBusNode.start({ url: redis.url, lingerMs });
  await redis.cli('CONFIG', 'RESETSTAT');
  return node;
}

describe('the subjects that are joined in one turn', () => {
  it('are subscribed 512 at a time', async () => {
    const { bus } = await start(1_000);
    await Promise.all(SUBJECTS.map(async (subject) => bus.join(subject)));
    expect(await calls('subscribe')).toBe(3);
  });

  it('are left 512 at a time', async () => {
    const { bus } = await start(50);
    await Promise.all(SUBJECTS.map(async (subject) => bus.join(subject)));
    for (const subject of SUBJECTS) bus.leave(subject);
    await vi.waitFor(async () => expect(await subscribers(SUBJECTS.at(-1)!)).toBe('0'), 5_000);
    expect(await calls('unsubscribe')).toBe(3);
  });
});

describe('a subject that is left', () => {
  it('costs nothing when it is joined again soon', async () => {
    const { bus } = await start(60_000);
    await bus.join('user:ann');
    for (let time = 0; time < 10; time++) {
      bus.leave('user:ann');
      expect(bus.join('user:ann')).toBeUndefined();
    }
    expect([await calls('subscribe'), await calls('unsubscribe')]).toEqual([1, 0]);
  });

  it('is given up after lingerMs', async () => {
    const { bus } = await start(100);
    await bus.join('user:ann');
    expect(await subscribers('user:ann')).toBe('1');
    bus.leave('user:ann');
    await vi.waitFor(async () => expect(await subscribers('user:ann')).toBe('0'), 5_000);
  });

  it('is kept when it was joined again in time', async () => {
    const { bus } = await start(100);
    await Promise.all([bus.join('user:ann'), bus.join('user:bob')]);
    for (const subject of ['user:ann', 'user:bob']) bus.leave(subject);
    await bus.join('user:ann');
    await vi.waitFor(async () => expect(await subscribers('user:bob')).toBe('0'), 5_000);
    expect(await subscribers('user:ann')).toBe('1');
  });
});
