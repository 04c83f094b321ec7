import { createClient } from '@redis/client';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startRedis, type RedisServer } from '../../../../test/helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../../../test/helpers/tcp-proxy.js';
import { encodeFrame } from '../../../core/bus/bus-frame.js';
import { OwnLease } from '../../../core/bus/own-lease.js';
import { user } from '../../../core/routing/address.js';
import type { EnvelopeContent } from '../../../core/routing/envelope.js';
import { RedisChannels } from '../connection/redis-channels.js';
import type { RedisClient } from '../connection/redis-connection.js';
import { redisSettingsOf } from '../connection/redis-options.js';
import { RedisServer as Server } from '../connection/redis-server.js';
import { MissedOrders } from './missed-orders.js';
import { MAX_KEPT_ORDERS } from './order-scripts.js';

const ORDERS = 'realtime@0:orders';
const CHANNEL = 'realtime@0:user:ann';
const PATIENT = { timeout: 15_000 };

let redis: RedisServer;
let proxy: TcpProxy;
let node: RedisBusNode;

/** The number of the last order. */
let sequence = 0;

/** Redis keeps an order of another node. */
async function kept(
  content: EnvelopeContent,
  { channel = CHANNEL, origin = 'another', id = '*', number = ++sequence } = {},
) {
  const envelope = { to: [user('ann')], except: [], content };
  const frame = encodeFrame({ kind: 'envelope', origin, sequence: number, wantsReport: false, envelope });
  await redis.cli('XADD', ORDERS, id, 'channel', channel, 'frame', frame);
}

/** The way of the node to Redis breaks, something happens, and the way is whole again. @returns the orders executed since */
async function away(meanwhile: () => Promise<unknown>): Promise<string[]> {
  const before = node.arrived.length;
  proxy.refuse();
  await expect.poll(() => node.bus.isAttached, PATIENT).toBe(false);
  await meanwhile();
  proxy.pass();
  await expect.poll(() => node.bus.isAttached, PATIENT).toBe(true);
  return node.arrived.slice(before).map(({ content }) => content.kind);
}

describe('orders that a node has missed', () => {
  beforeEach(async () => {
    collectLogs();
    redis = await startRedis();
    proxy = await startTcpProxy(redis.port);
    node = await RedisBusNode.start({ url: `redis://127.0.0.1:${proxy.port}` });
    await node.bus.join('user:ann');
  });

  it('are executed in their order before the node is attached again', async () => {
    expect(
      await away(async () => {
        await kept({ kind: 'rights', roles: ['admin'] });
        await kept({ kind: 'revalidate' });
      }),
    ).toEqual(['rights', 'revalidate']);
  });

  it('are executed once, however often the way breaks', async () => {
    expect(await away(() => kept({ kind: 'revalidate' }))).toEqual(['revalidate']);
    expect(await away(() => Promise.resolve())).toEqual([]);
  });

  it('are not executed again when they had arrived', async () => {
    const other = await RedisBusNode.start({ url: redis.url });
    await other.send('user:ann', { kind: 'revalidate' });
    expect(node.texts).toEqual(['revalidate']);
    expect(await away(() => Promise.resolve())).toEqual([]);
  });

  it.each<[what: string, order: () => Promise<void>]>([
    ['of a channel that it has not joined', () => kept({ kind: 'revalidate' }, { channel: 'realtime@0:user:bob' })],
    ['older than its subscription', () => kept({ kind: 'revalidate' }, { id: `${Date.now() - 20_000}-0` })],
    ['of its own', () => kept({ kind: 'revalidate' }, { origin: node.id, number: 1 })],
    ['that are messages', () => kept({ kind: 'message', text: '{"type":"t","payload":"x"}' })],
    [
      'that are subscriptions, whose callers were told that they failed',
      () => kept({ kind: 'subscribe', topic: 'chat' }),
    ],
    ['without a frame', async () => void (await redis.cli('XADD', ORDERS, '*', 'channel', CHANNEL))],
    ['that are garbage', async () => void (await redis.cli('XADD', ORDERS, '*', 'channel', CHANNEL, 'frame', 'x'))],
    ['in a key of another type', async () => void (await redis.cli('SET', ORDERS, 'x'))],
  ])('are not those %s', async (_what, order) => {
    expect(await away(order)).toEqual([]);
  });

  it('are replaced by a disconnect of all when more were given than are kept', async () => {
    const script = `for i = 1, ${MAX_KEPT_ORDERS} do redis.call('XADD', KEYS[1], '*', 'channel', 'other', 'frame', 'x') end`;
    expect(await away(() => redis.cli('EVAL', script, '1', ORDERS))).toEqual(['disconnect']);
  });

  it.each<[what: string, lose: () => Promise<unknown>]>([
    ['was emptied', () => redis.cli('FLUSHALL')],
    ['has exchanged its databases', () => redis.cli('SWAPDB', 0, 1)],
    ['has started again, and was emptied', () => redis.restart().then(() => redis.cli('FLUSHDB'))],
  ])('are replaced by a disconnect of all when the lease was over and Redis %s', async (_what, lose) => {
    const overFrom = vi.spyOn(OwnLease.prototype, 'overFrom').mockReturnValue(-Infinity);
    onTestFinished(() => overFrom.mockRestore());
    expect(await away(lose)).toEqual(['disconnect']);
    expect(await away(() => Promise.resolve())).toEqual([]);
  });

  it('are replaced once, although the node is not attached after its first attempt', async () => {
    const overFrom = vi.spyOn(OwnLease.prototype, 'overFrom').mockReturnValueOnce(-Infinity).mockReturnValue(Infinity);
    const { catchUp } = MissedOrders.prototype;
    const attempts: number[] = [];
    MissedOrders.prototype.catchUp = async function (this: MissedOrders, server) {
      attempts.push(performance.now());
      await Reflect.apply(catchUp, this, [server]);
      if (attempts.length === 1) throw new Error('The probe does not come back.');
    };
    onTestFinished(() => {
      overFrom.mockRestore();
      MissedOrders.prototype.catchUp = catchUp;
    });
    expect(await away(() => redis.cli('FLUSHALL'))).toEqual(['disconnect']);
    expect(overFrom.mock.calls.at(-1)![0]).toBeGreaterThan(attempts[0]!);
  });

  it('would be lost if they were not asked for', async () => {
    const { catchUp } = MissedOrders.prototype;
    MissedOrders.prototype.catchUp = () => Promise.resolve();
    onTestFinished(() => void (MissedOrders.prototype.catchUp = catchUp));
    expect(await away(() => kept({ kind: 'revalidate' }))).toEqual([]);
  });
});

describe('orders that may be lost on several servers', () => {
  beforeEach(() => void collectLogs());

  /** A server of one partition. */
  async function serverOf(partition: number) {
    const process = await startRedis();
    const create = () => createClient({ url: process.url, socket: { reconnectStrategy: false } });
    const events = { restore: () => Promise.resolve(), changed: () => {}, moved: () => {} };
    const settings = redisSettingsOf({ url: process.url });
    const server = new Server(`${partition}`, false, () => create() as unknown as RedisClient, settings, events);
    server.partitions = new Set([partition]);
    await server.commands.open();
    onTestFinished(() => server.close());
    return { process, server };
  }

  /** The servers start again without data, and the node catches up on one after the other. @returns what it has done then */
  async function lostOnAll(lease: Pick<OwnLease, 'overFrom'>): Promise<readonly string[]> {
    const channels = new RedisChannels('app', 0, 3);
    const orders = new MissedOrders(channels, {} as never, {} as never, lease);
    const done: string[] = [];
    orders.open(({ content }) => done.push(content.kind));
    const servers = await Promise.all([0, 1, 2].map(serverOf));
    for (const { server } of servers) {
      await orders.catchUp(server);
      // Its lease may have been over for a while.
      orders.heard(server, performance.now() - 5_000);
    }
    const runs = servers.map(({ server }) => server.runId);
    await Promise.all(servers.map(({ process }) => process.restart()));
    const areBack = () => servers.every(({ server }, n) => server.commands.isUp && server.runId !== runs[n]);
    await expect.poll(areBack, PATIENT).toBe(true);
    for (const { server } of servers) await orders.catchUp(server);
    return done;
  }

  it('are replaced by one disconnect of all if all were lost before', async () => {
    expect(await lostOnAll({ overFrom: (since) => since })).toEqual(['disconnect']);
  });

  it('would be replaced by one disconnect of all for each server if it did not matter that connections are new', async () => {
    expect(await lostOnAll({ overFrom: () => -Infinity })).toEqual(['disconnect', 'disconnect', 'disconnect']);
  });
});
