import { beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startRedis, type RedisServer } from '../../../../test/helpers/redis-server.js';
import { topic } from '../../../core/routing/address.js';
import { encodeFrame } from '../../../core/bus/bus-frame.js';
import { RETENTION_LIMITS } from '../../../core/history/history.js';
import { positionLifeMs } from '../../../core/history/publication-stream.js';
import type { RedisBackendOptions } from '../connection/redis-options.js';

const WAIT_MS = 15_000;
vi.setConfig({ testTimeout: 40_000 });

const TOPIC = 'chat:1';
const POSITION = 'realtime@0:stream:chat:1';
const HISTORY = 'realtime@0:history:chat:1';
const RETENTION = { size: 10, ttlMs: 5_000 };
const DAY_MS = 86_400_000;

let redis: RedisServer;
let node: RedisBusNode;

beforeEach(async () => {
  collectLogs();
  redis = await startRedis();
  node = await start({});
});

const start = (options: RedisBackendOptions) =>
  RedisBusNode.start({ url: redis.url, maxEnvelopeBytes: 1_024, ...options });

const publish = (text = 'hello', idempotencyKey?: string) =>
  node.history.publish(TOPIC, `{"type":"t","payload":"${text}"}`, RETENTION, {
    report: true,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });

const read = (limit = 10) => node.history.read(TOPIC, { limit }, RETENTION);

/** How long a key is kept, in whole seconds. */
const lifeS = async (key: string) => Math.ceil(Number(await redis.cli('PTTL', key)) / 1_000);

describe('in Redis', () => {
  it('publications are kept for their time, and their position for a day', async () => {
    await publish();
    expect([await lifeS(HISTORY), await lifeS(POSITION)]).toEqual([RETENTION.ttlMs / 1_000, DAY_MS / 1_000]);
  });

  it('a position is kept for a day from when it was read', async () => {
    await publish();
    await redis.cli('PEXPIRE', POSITION, 50_000);
    await read(0);
    expect(await lifeS(POSITION)).toBe(DAY_MS / 1_000);
  });

  it('a read of a topic without a past stores nothing for the topic', async () => {
    const { top } = await read(10);
    expect(await redis.cli('EXISTS', POSITION, HISTORY)).toBe('0');
    expect(await publish()).toMatchObject({ epoch: top.epoch, offset: 1 });
  });

  it('the term of the server outlives every position, and no longer than that', async () => {
    const longest = { size: 10, ttlMs: RETENTION_LIMITS.ttlMs.max };
    await publish();
    expect(await lifeS('realtime@0:term')).toBe(DAY_MS / 1_000);
    await node.history.read('long', { limit: 0 }, longest);
    await publish();
    expect(await lifeS('realtime@0:term')).toBe(positionLifeMs(longest.ttlMs) / 1_000);
    await redis.cli('PEXPIRE', 'realtime@0:term', 50_000);
    await read(0);
    expect(await lifeS('realtime@0:term')).toBe(DAY_MS / 1_000);
  });

  it('a position that outlived its term would count as another stream, and nothing could be recovered', async () => {
    const { epoch } = await publish();
    expect((await read(0)).top.epoch).toBe(epoch);
    await redis.cli('DEL', 'realtime@0:term');
    expect((await read(0)).top.epoch).not.toBe(epoch);
  });

  it('an idempotency key is kept for five minutes', async () => {
    await publish('hello', 'k');
    expect(await lifeS('realtime@0:once:chat:1 k')).toBe(300);
  });

  it('keys of half a character are told apart', async () => {
    const offsets = [];
    for (const key of ['\ud800', '\ud801', '\ufffd', '\ud800']) offsets.push((await publish('hello', key)).offset);
    expect(offsets).toEqual([1, 2, 3, 1]);
  });

  it.each([POSITION, HISTORY, 'realtime@0:term', 'realtime@0:once:chat:1 k'])(
    'a key %s of another type is in nobody’s way',
    async (key) => {
      await redis.cli('DEL', key);
      await redis.cli(key.includes('once') ? 'HSET' : 'SET', key, 'a', ...(key.includes('once') ? ['b'] : []));
      expect((await publish('hello', 'k')).offset).toBe(1);
      expect((await read()).publications).toHaveLength(1);
    },
  );

  it.each(['SET', 'LPUSH'])(
    'a stream that something has been put in the place of by %s is no stream',
    async (command) => {
      await publish();
      await redis.cli('DEL', HISTORY);
      await redis.cli(command, HISTORY, 'a');
      expect(await read()).toMatchObject({ top: { offset: 1 }, publications: [] });
      expect((await publish()).offset).toBe(2);
    },
  );

  it('a position that nobody of us has written is begun anew', async () => {
    await publish();
    await redis.cli('HSET', POSITION, 'epoch', '"]x');
    const { top, publications } = await read();
    expect([top.offset, publications]).toEqual([0, []]);
  });

  it('offsets go on beyond what is written without an exponent', async () => {
    await publish();
    await redis.cli('HSET', POSITION, 'offset', '999999999999998');
    expect([(await publish()).offset, (await publish()).offset]).toEqual([999_999_999_999_999, 1_000_000_000_000_000]);
    expect((await read()).top.offset).toBe(1_000_000_000_000_000);
  });
});

describe('a publication', () => {
  it('that is too large is refused, and counts for nothing', async () => {
    await expect(publish('x'.repeat(1_000))).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect((await read()).top.offset).toBe(0);
  });

  it('arrives when it is just small enough', async () => {
    await node.bus.join('topic:chat:1');
    let length = 1_000;
    while (!(await publish('x'.repeat(length)).catch(() => undefined))) length -= 1;
    expect(node.texts).toEqual(['x'.repeat(length)]);
    expect(node.bus.stats.ignored).toBe(0);
  });

  it('is refused before the bus is opened and after it was closed', async () => {
    await node.stop();
    await expect(publish()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(read()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('passes what its node has said later', async () => {
    const other = await start({});
    await other.bus.join('topic:chat:1');
    await node.publish('topic:chat:1', 'later');
    // As a script that Redis did not know arrives: behind what was sent after it.
    const content = {
      kind: 'message' as const,
      text: '{"type":"t","payload":"first"}',
      position: { epoch: 'e', offset: 1 },
    };
    const envelope = { to: [topic(TOPIC)], except: [], content };
    const frame = encodeFrame({ kind: 'envelope', origin: node.id, sequence: 1, wantsReport: false, envelope });
    await redis.cli('PUBLISH', 'realtime@0:topic:chat:1', frame);
    await expect.poll(() => other.texts).toEqual(['later', 'first']);
  });
});

describe('that something may have been missed', () => {
  const attached = () => vi.waitFor(() => expect(node.bus.isAttached).toBe(true), WAIT_MS);

  it('is not said at the start', async () => {
    await attached();
    expect(node.missed).toBe(0);
  });

  it('is said when the subscriptions are active again', async () => {
    await node.bus.join('topic:chat:1');
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'PUBSUB');
    await vi.waitFor(() => expect(node.missed).toBe(1), WAIT_MS);
    await publish();
    expect(node.texts).toEqual(['hello']);
  });

  it('is said when the connection for commands was lost', async () => {
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'NORMAL', 'SKIPME', 'yes');
    await vi.waitFor(() => expect(node.missed).toBe(1), WAIT_MS);
    expect(node.bus.isAttached).toBe(true);
  });
});
