import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { hasRunFor, SlotMove, startRedisCluster, type RedisCluster } from '../../../../test/helpers/redis-cluster.js';
import { topic } from '../../../core/routing/address.js';
import { subjectOf } from '../../../core/bus/subject.js';
import { RedisChannels } from './redis-channels.js';
import type { RedisBackendOptions } from './redis-options.js';
import type { RedisScript } from './redis-script.js';
import type { RedisServer } from './redis-server.js';
import { SlotMoves } from './slot-moves.js';

const TOPIC = 'log:1';
const RETENTION = { size: 1_000, ttlMs: 60_000 };
const PARTITIONS = 4;

const channels = new RedisChannels('realtime', 0, PARTITIONS);
const channel = channels.of(subjectOf(topic(TOPIC))!);
const SLOT = channels.slotOf(channel.partition);
/** All keys of the topic. */
const KEYS = channels.historyOf(TOPIC, channel);
/** Topics of the same partition. */
const OTHERS = Array.from({ length: 200 }, (_, n) => `log:${n + 2}`).filter(
  (name) => channels.of(subjectOf(topic(name))!).partition === channel.partition,
);

let cluster: RedisCluster;
let options: RedisBackendOptions;
let nodes: RedisBusNode[];

let end: () => Promise<void>;

beforeAll(async () => {
  cluster = await startRedisCluster({ finished: (given) => void (end = given) });
  await hasRunFor(cluster, 4);
}, 60_000);
afterAll(() => end());

beforeEach(async () => {
  collectLogs();
  options = {
    cluster: { rootNodes: cluster.urls.map((url) => ({ url })) },
    partitions: PARTITIONS,
    // Longer than a move takes on a busy machine.
    commandTimeoutMs: 20_000,
    leaseRefreshMs: 10_000,
    leaseTtlMs: 30_000,
  };
  for (const server of cluster.servers) {
    await server.cli('FLUSHALL');
    // Otherwise nodes that start take leases for lost.
    await server.cli('CONFIG', 'RESETSTAT');
  }
  nodes = [await start(), await start()];
}, 60_000);

/** A node whose presence is open, as in every application. */
async function start(over: RedisBackendOptions = options): Promise<RedisBusNode> {
  const node = await RedisBusNode.start(over);
  await node.presence.open({ id: node.id, changed: () => {} });
  await Promise.all([TOPIC, ...OTHERS].map(async (name) => node.bus.join(subjectOf(topic(name))!)));
  return node;
}

const publish = (node: RedisBusNode, text = 'hello', name = TOPIC, idempotencyKey?: string) =>
  node.history.publish(name, `{"type":"t","payload":"${text}"}`, RETENTION, {
    report: true,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });

const read = async (node: RedisBusNode, name = TOPIC) => {
  const { top, publications } = await node.history.read(name, { limit: 1_000 }, RETENTION);
  return { epoch: top.epoch, texts: publications.map(({ text }) => (JSON.parse(text) as { payload: string }).payload) };
};

describe('while a slot moves', { timeout: 60_000 }, () => {
  it('publications go to the server that has all keys of their topic, and reach all nodes', async () => {
    const [a, b] = nodes as [RedisBusNode, RedisBusNode];
    const { epoch } = await publish(a, '1');
    const move = await SlotMove.begin(cluster, SLOT);
    expect(await publish(a, '2')).toMatchObject({ epoch, offset: 2, recipients: 2, complete: true });
    await move.keys();
    expect(await publish(b, '3')).toMatchObject({ epoch, offset: 3, recipients: 2, nodes: 2, complete: true });
    expect(await publish(a, '4')).toMatchObject({ epoch, offset: 4, recipients: 2, nodes: 2, complete: true });
    expect([a.texts, b.texts].map((texts) => texts.join())).toEqual(['1,2,3,4', '1,2,3,4']);
    expect(await read(b)).toEqual({ epoch, texts: ['1', '2', '3', '4'] });
    await move.end();
  });

  it('those of a topic with keys on both servers wait, and keep their order', async () => {
    const [a] = nodes as [RedisBusNode];
    const { epoch } = await publish(a, '0');
    const move = await SlotMove.begin(cluster, SLOT);
    await move.these(KEYS.slice(0, 1));
    const sent = Array.from({ length: 100 }, (_, n) => publish(a, `${n + 1}`));
    await delay(300);
    await move.keys();
    const reports = await Promise.all(sent);
    expect(reports.map(({ offset }) => offset)).toEqual(reports.map((_, n) => n + 2));
    expect((await read(a)).texts).toEqual(Array.from({ length: 101 }, (_, n) => `${n}`));
    expect(reports.every((report) => report.epoch === epoch)).toBe(true);
    await move.end();
  });

  it('those of a new topic wait until the slot has moved', async () => {
    const [a] = nodes as [RedisBusNode];
    const move = await SlotMove.begin(cluster, SLOT);
    const sent = publish(a, '1');
    await delay(300);
    await move.keys();
    await move.end();
    expect(await sent).toMatchObject({ offset: 1 });
  });

  it('they are refused after the time of a command, with the reason of Redis, and take no effect later', async () => {
    const a = await start({ ...options, commandTimeoutMs: 300 });
    await publish(a, '1');
    const move = await SlotMove.begin(cluster, SLOT);
    await move.these(KEYS.slice(0, 1));
    await expect(publish(a, 'refused')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      cause: { message: expect.stringMatching(/^TRYAGAIN/) },
    });
    await move.keys();
    await move.end();
    await publish(a, '2');
    expect((await read(a)).texts).toEqual(['1', '2']);
  });

  it('users come and go, and everybody knows when it has moved', async () => {
    const [a, b] = nodes as [RedisBusNode, RedisBusNode];
    const users = async (node: RedisBusNode) =>
      (await node.presence.read(TOPIC, 100)).users.map(({ userId }) => userId).sort();
    await a.presence.set(TOPIC, { userId: 'ann', connections: 1 });
    await b.presence.set(TOPIC, { userId: 'bob', connections: 1 });
    const move = await SlotMove.begin(cluster, SLOT);
    const changes = [a.presence.set(TOPIC, { userId: 'cem', connections: 1 }), b.presence.remove(TOPIC, 'bob')];
    await move.keys(3, 1);
    await delay(300);
    await move.keys();
    await move.end();
    await Promise.all(changes);
    for (const node of [a, b]) expect(await users(node)).toEqual(['ann', 'cem']);
  });
});

describe('a slot that has moved with its data', { timeout: 60_000 }, () => {
  async function moved(): Promise<void> {
    const move = await SlotMove.begin(cluster, SLOT);
    await move.keys();
    await move.end();
  }

  it('keeps the epochs of its topics, also when it moves again', async () => {
    const [a, b] = nodes as [RedisBusNode, RedisBusNode];
    const names = [TOPIC, ...OTHERS.slice(0, 20)];
    const before = await Promise.all(names.map((name) => publish(a, '1', name)));
    await moved();
    expect(await Promise.all(names.slice(0, 10).map((name) => publish(b, '2', name)))).toEqual(
      before.slice(0, 10).map(({ epoch }) => expect.objectContaining({ epoch, offset: 2 })),
    );
    await moved();
    expect(await Promise.all(names.map(async (name) => (await read(a, name)).epoch))).toEqual(
      before.map(({ epoch }) => epoch),
    );
  });

  it('would begin new epochs if the nodes did not prove that nothing was lost', async () => {
    const spy = vi.spyOn(SlotMoves.prototype, 'moved').mockReturnValue();
    const [a] = nodes as [RedisBusNode];
    const { epoch } = await publish(a, '1');
    await moved();
    expect((await publish(a, '2')).epoch).not.toBe(epoch);
    spy.mockRestore();
  });

  it('begins new epochs if its former owner has lost its data before the end of the move', async () => {
    const [a] = nodes as [RedisBusNode];
    const { epoch } = await publish(a, '1');
    const move = await SlotMove.begin(cluster, SLOT);
    await move.keys();
    await move.from.restart();
    await vi.waitFor(async () => expect(await move.from.cli('CLUSTER', 'INFO')).toContain('cluster_state:ok'), 20_000);
    await move.end();
    await vi.waitFor(async () => expect((await publish(a, '2')).epoch).not.toBe(epoch), 20_000);
  });

  it('begins new epochs if its new owner was started after it began to move', async () => {
    const [a] = nodes as [RedisBusNode];
    const { epoch } = await publish(a, '1');
    const move = await SlotMove.begin(cluster, SLOT);
    await move.to.restart();
    await vi.waitFor(async () => expect(await move.to.cli('CLUSTER', 'INFO')).toContain('cluster_state:ok'), 20_000);
    await move.keys();
    await move.end();
    await vi.waitFor(async () => expect((await publish(a, '2')).epoch).not.toBe(epoch), 20_000);
  });
});

describe('a partition whose server has another connection', () => {
  /** A partition was seen whole at the server, which is then reached over another connection. @returns who was asked meanwhile */
  async function seenAgain(address: string) {
    const at = (name: string) => ({ address: name, runId: `run of ${name}` }) as RedisServer;
    const asked: string[] = [];
    let owner = at('a:1');
    const reach = (name: string) => {
      asked.push(name);
      return Promise.reject(new Error('away'));
    };
    const slots = { serverOf: () => owner, reach, relearn: () => Promise.resolve() };
    const settings = { commandTimeoutMs: 1_000, maxPendingCommands: 10, leaseRefreshMs: 1_000 };
    const moves = new SlotMoves(slots, settings, () => ['term', 'presence']);
    const script = { run: async (server: RedisServer) => server } as unknown as RedisScript;
    const run = () => moves.run(script, { partition: 0, keys: ['key'], argsFor: () => [], isWhole: true });
    await run();
    owner = at(address);
    moves.moved(0, owner);
    return { ranAt: await run(), owner, asked };
  }

  it('has not moved: its calls go on', async () => {
    const { ranAt, owner, asked } = await seenAgain('a:1');
    expect([ranAt === owner, asked]).toEqual([true, []]);
  });

  it('has moved if the server has another address: that one is asked', async () => {
    const { asked } = await seenAgain('b:1');
    expect(asked).toEqual(['b:1']);
  });
});
