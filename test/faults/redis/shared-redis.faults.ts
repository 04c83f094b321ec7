import type { RedisBackendOptions } from 'nestjs-realtime/redis';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisChannels } from '../../../lib/adapters/redis/connection/redis-channels.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { RedisBusNode } from '../../helpers/redis-bus-node.js';
import { startRedis } from '../../helpers/redis-server.js';

beforeEach(() => void collectLogs());

/** Two applications that share a Redis. The subject of the first was once the name of the second's. */
const NEIGHBOURS: Readonly<
  Record<string, readonly [RedisBackendOptions, RedisBackendOptions, subjects: [string, string]]>
> = {
  'with a prefix that begins with the other': [
    { prefix: 'shop' },
    { prefix: 'shop:topic' },
    ['topic:user:ann', 'user:ann'],
  ],
  'in two databases by the URL': [{}, { url: '/1' }, ['user:ann', 'user:ann']],
  'in two databases by the options': [{}, { client: { database: 1 } }, ['user:ann', 'user:ann']],
};

/** What the second application hears of the first, and what both have in the place of a topic. */
async function neighbours(which: string) {
  const [first, second, [said, heard]] = NEIGHBOURS[which]!;
  const redis = await startRedis();
  const at = ({ url = '', ...options }: RedisBackendOptions) => ({ ...options, url: `${redis.url}${url}` });
  const [a, b] = [await RedisBusNode.start(at(first)), await RedisBusNode.start(at(second))];
  await Promise.all([a.bus.join(said), b.bus.join(heard)]);
  const report = await a.publish(said);
  const retention = { size: 10, ttlMs: 5_000 };
  const stored = [a, b].map(({ history }) => history.publish('chat:1', '{"type":"t"}', retention, { report: true }));
  return { report, heard: b.texts, offsets: (await Promise.all(stored)).map(({ offset }) => offset) };
}

describe('Two applications that share a Redis', () => {
  it.each(Object.keys(NEIGHBOURS))('%s do not reach each other', async (which) => {
    expect(await neighbours(which)).toEqual({
      report: { recipients: 1, nodes: 1, complete: true },
      heard: [],
      offsets: [1, 1],
    });
  });

  it.each(Object.keys(NEIGHBOURS))('%s would reach each other if names did not end their prefix', async (which) => {
    const { of } = RedisChannels.prototype;
    const naming = vi.spyOn(RedisChannels.prototype, 'of').mockImplementation(function (this: RedisChannels, subject) {
      const channel = of.call(this, subject);
      return { ...channel, name: channel.name.replace(/@\d+:/, ':') };
    });
    onTestFinished(() => naming.mockRestore());
    expect(await neighbours(which)).toMatchObject({ heard: ['hello'] });
  });
});
