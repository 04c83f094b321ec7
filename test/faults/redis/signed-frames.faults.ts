import { topic, user } from 'nestjs-realtime';
import type { RedisBackendSecret } from 'nestjs-realtime/redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HeardSequences } from '../../../lib/adapters/redis/connection/heard-sequences.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { RedisBusNode } from '../../helpers/redis-bus-node.js';
import { startRedisCluster } from '../../helpers/redis-cluster.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { Fleet, type FleetNode } from './fleet.js';
import { envelopeOf, forged, Mallory } from './mallory.js';
import { ROOM, startPresenceApp, Watcher } from './presence-scene.js';

const [OLD, NEW] = ['the old secret of this test '.repeat(2), 'the new secret of this test '.repeat(2)];
const SIGNED = { secret: { sign: OLD } };
const FEED = 'realtime@0:topic:feed';

/** Both cases of an attack: with a secret, and the twin without. */
const BOTH = [
  ['has no effect with a secret', SIGNED, false],
  ['would take effect without a secret', {}, true],
] as const;

/** One node with alice on it, and Mallory. */
async function victim(over: { readonly secret?: RedisBackendSecret }) {
  const fleet = await Fleet.start({ size: 1, over });
  const [node] = fleet.nodes;
  const mallory = await Mallory.connect(fleet.redis);
  return { fleet, node: node!, mallory, alice: await node!.connectAs('alice') };
}

/** How many frames a node has dropped for want of a good signature. */
function refusedBy({ bus: { stats } }: FleetNode): number {
  return stats.unsigned + stats.wronglySigned;
}

/** Waits until what was published before has arrived: what is published later comes behind it. */
async function settled({ realtime }: FleetNode): Promise<void> {
  await realtime.sendToUser('alice', { type: 'settled' });
}

describe('A forged grant of a role', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { node, mallory, alice } = await victim(over);
    await mallory.send('realtime@0:user:alice', user('alice'), { kind: 'rights', roles: ['admin'] });
    await settled(node);
    expect([...(await node.realtime.connection(alice.id))!.roles]).toEqual(isEffective ? ['admin'] : []);
    expect(refusedBy(node)).toBe(isEffective ? 0 : 1);
  });
});

describe('A forged disconnect', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { node, mallory } = await victim(over);
    const content = { kind: 'disconnect', code: 'DISCONNECTED', reason: 'bye' } as const;
    await mallory.send('realtime@0:user:alice', user('alice'), content);
    await settled(node);
    expect(await node.realtime.isOnline('alice')).toBe(!isEffective);
    expect(refusedBy(node)).toBe(isEffective ? 0 : 1);
  });
});

describe('A forged subscription, past @OnSubscribe()', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { node, mallory, alice } = await victim(over);
    await mallory.send('realtime@0:user:alice', user('alice'), { kind: 'subscribe', topic: 'secrets' });
    await settled(node);
    expect(await node.realtime.topicsOf(alice.id)).toEqual(isEffective ? ['secrets'] : []);
    expect(refusedBy(node)).toBe(isEffective ? 0 : 1);
  });
});

describe('A forged message', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { node, mallory, alice } = await victim(over);
    const text = '{"type":"forged","timestamp":"2026-01-31T12:00:00.000Z"}';
    await mallory.send('realtime@0:user:alice', user('alice'), { kind: 'message', text });
    await settled(node);
    await alice.settled();
    expect(alice.pending.some(({ type }) => type === 'forged')).toBe(isEffective);
    expect(refusedBy(node)).toBe(isEffective ? 0 : 1);
  });
});

describe('A forged question who is connected', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { node, mallory } = await victim(over);
    const answers = await mallory.overhear('realtime@0:bus:mallory');
    await mallory.forge('realtime@0:all', { kind: 'query', query: { kind: 'connections', of: { kind: 'all' } } });
    await settled(node);
    if (isEffective) await expect.poll(() => answers.join()).toContain('alice');
    else expect([answers, refusedBy(node)]).toEqual([[], 1]);
  });
});

describe('A forged number in the name of a node', () => {
  /** It is far ahead of what the node has said. @returns whether others still hear the node */
  async function silence(over: { readonly secret?: RedisBackendSecret }, forge: (id: string) => string) {
    const fleet = await Fleet.start({ over });
    const [node, other] = fleet.nodes;
    const [{ id } = { id: '' }] = await node!.realtime.nodes();
    await fleet.healed();
    const mallory = await Mallory.connect(fleet.redis);
    await mallory.say(FEED, forge(id));
    await node!.realtime.publish('feed', { type: 'hello' });
    await node!.realtime.publish('feed', { type: 'again' });
    return { isHeard: other!.reader.count('again') > 0, repeated: other!.bus.stats.repeated };
  }

  const order = (id: string) =>
    forged(envelopeOf(topic('feed'), { kind: 'revalidate' }), id).replace(/",\d+/, '",9000000000000000');

  it('does not silence the node with a secret', async () => {
    expect(await silence(SIGNED, order)).toEqual({ isHeard: true, repeated: 0 });
  });

  it('would silence the node without a secret', async () => {
    const { isHeard, repeated } = await silence({}, order);
    expect([isHeard, repeated > 0]).toEqual([false, true]);
  });

  it('does not silence the node in the news of presence, which nobody signs', async () => {
    const at = (id: string) => ({ epoch: id, sequence: 9_000_000_000_000_000, previous: 0 });
    const news = (id: string) =>
      forged(envelopeOf(topic('feed'), { kind: 'joined', userId: 'ghost', at: at(id) }), id).replace(
        /",\d+/,
        '",9000000000000000',
      );
    expect(await silence(SIGNED, news)).toEqual({ isHeard: true, repeated: 0 });
  });
});

describe('What a node has signed and somebody plays back', () => {
  /** Mallory plays an order of a node back: where it was said, and to somebody else. */
  async function playBack() {
    const { fleet, node, mallory, alice } = await victim(SIGNED);
    const other = (await Fleet.start({ size: 1, redis: fleet.redis, over: SIGNED })).nodes[0]!;
    const heard = await mallory.overhear('realtime@0:user:alice');
    await other.realtime.changeRights(user('alice'), { roles: ['admin'] });
    await other.realtime.changeRights(user('alice'), { roles: [] });
    const bob = await node.connectAs('bob');
    const [grant] = heard;
    await mallory.say('realtime@0:user:alice', grant!);
    await mallory.say('realtime@0:user:bob', grant!.replaceAll('alice', 'bob'));
    await mallory.say('realtime@0:user:bob', grant!);
    await settled(node);
    const roles = async ({ id }: { readonly id: string }) => [...(await node.realtime.connection(id))!.roles];
    const { repeated, wronglySigned } = node.bus.stats;
    return { alice: await roles(alice), bob: await roles(bob), repeated, wronglySigned };
  }

  it('is not carried out again, nor for anybody else, and is counted', async () => {
    expect(await playBack()).toEqual({ alice: [], bob: [], repeated: 1, wronglySigned: 2 });
  });

  it('would be taken for new if nodes did not remember what they have heard', async () => {
    const isNew = vi.spyOn(HeardSequences.prototype, 'isNew').mockReturnValue(true);
    onTestFinished(() => isNew.mockRestore());
    expect(await playBack()).toMatchObject({ repeated: 0 });
  });
});

describe('A forged order among those that Redis keeps for nodes that are cut off', () => {
  it.each(BOTH)('%s', async (_what, over, isEffective) => {
    const { fleet, node } = await victim(over);
    const frame = forged(envelopeOf(user('alice'), { kind: 'disconnect', code: 'DISCONNECTED', reason: 'bye' }));
    await fleet.redis.cli('XADD', 'realtime@0:orders', '*', 'channel', 'realtime@0:user:alice', 'frame', frame);
    await fleet.redis.cli('XADD', 'realtime@0:orders', '*', 'channel', 'realtime@0:user:alice');
    node.proxy.refuse();
    await expect.poll(() => node.realtime.isAttached).toBe(false);
    node.proxy.pass();
    await fleet.healed();
    expect(await node.realtime.isOnline('alice')).toBe(!isEffective);
    // A node that needs several attempts to attach reads the order, and refuses it, with each.
    expect(refusedBy(node) > 0).toBe(!isEffective);
  });
});

describe('Nodes with different secrets', () => {
  const alone = (redis: RedisServer | undefined, secret?: RedisBackendSecret) =>
    Fleet.start({ size: 1, ...(redis && { redis }), over: secret ? { secret } : {} });

  /** Whether two nodes hear each other. */
  async function hear(first?: RedisBackendSecret, second?: RedisBackendSecret) {
    const a = await alone(undefined, first);
    const b = await alone(a.redis, second);
    const both = [a.nodes[0]!, b.nodes[0]!] as const;
    const hello = { type: 'hello' };
    const [there, back] = [
      await both[0].realtime.sendToUser('reader-0', hello),
      await both[1].realtime.sendToUser('reader-0', hello),
    ];
    return { reports: [there, back], counts: both.map(({ bus }) => bus.stats), both };
  }

  const whole = { recipients: 2, nodes: 2, complete: true };

  it.each<[what: string, first?: RedisBackendSecret, second?: RedisBackendSecret]>([
    ['the same', { sign: OLD }, { sign: OLD }],
    ['of a rotation, first step', { sign: OLD }, { sign: OLD, accept: [NEW] }],
    ['of a rotation, second step', { sign: OLD, accept: [NEW] }, { sign: NEW, accept: [OLD] }],
    ['of a rotation, third step', { sign: NEW, accept: [OLD] }, { sign: NEW }],
    ['of a first deploy, second step', { sign: OLD, acceptUnsigned: true }, { sign: OLD }],
    ['of a first deploy, first step', undefined, { sign: OLD, acceptUnsigned: true }],
  ])('hear each other when they are %s', async (_what, first, second) => {
    const { reports, counts } = await hear(first, second);
    expect(reports).toEqual([whole, whole]);
    expect(counts).toMatchObject([NONE, NONE]);
  });

  const NONE = { unsigned: 0, wronglySigned: 0 };

  it('do not hear each other otherwise: no report is complete, and each says once why', async () => {
    const logs = collectLogs();
    const { reports, counts } = await hear({ sign: OLD }, { sign: NEW });
    const partial = { recipients: 1, nodes: 1, complete: false };
    expect(reports).toEqual([partial, partial]);
    for (const { wronglySigned } of counts) expect(wronglySigned).toBeGreaterThan(0);
    expect(logs.filter((line) => line.includes('wrong signature'))).toHaveLength(2);
  });

  it('do not hear a node without a secret, and say once why', async () => {
    const logs = collectLogs();
    const { reports, counts } = await hear({ sign: OLD }, undefined);
    expect(reports[1]).toMatchObject({ recipients: 1, complete: false });
    expect(counts[0]!.unsigned).toBeGreaterThan(0);
    expect(logs.filter((line) => line.includes('without a signature'))).toHaveLength(1);
  });

  it('never write a secret into the log', async () => {
    const logs = collectLogs();
    await hear({ sign: OLD }, { sign: NEW });
    expect(logs.join()).not.toMatch(/secret of this test/);
  });
});

describe('With a secret', () => {
  it('joins and leaves are told from node to node, though Redis composes them', async () => {
    const redis = await startRedis();
    const [here, there] = [await startPresenceApp(redis, SIGNED), await startPresenceApp(redis, SIGNED)];
    const watcher = await Watcher.join(here, 'watcher');
    const ann = await there.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: ROOM });
    await expect.poll(() => watcher.picture()).toEqual(['ann', 'watcher']);
    await ann.request({ action: 'unsubscribe', topic: ROOM });
    await expect.poll(() => watcher.picture()).toEqual(['watcher']);
  });

  it.each([
    ['one server', async () => ({ url: (await startRedis()).url })],
    [
      'a Redis Cluster',
      async () => ({ cluster: { rootNodes: (await startRedisCluster()).urls.map((url) => ({ url })) } }),
    ],
  ])('messages, orders, questions and publications cross nodes over %s', async (_where, place) => {
    const at = { ...(await place()), ...SIGNED };
    const [a, b] = [await RedisBusNode.start(at), await RedisBusNode.start(at)];
    for (const { bus } of [a, b]) {
      await bus.join('topic:log');
      await bus.join('user:alice');
    }
    const whole = { recipients: 2, nodes: 2, complete: true };
    expect(await a.publish('user:alice')).toEqual(whole);
    expect(await a.send('user:alice', { kind: 'revalidate' })).toEqual(whole);
    expect(await a.bus.ask('user:alice', { kind: 'topics', of: 'n.1' })).toEqual([]);
    const retention = { size: 10, ttlMs: 10_000 };
    const text = '{"type":"t","payload":"kept"}';
    expect(await a.history.publish('log', text, retention, { report: true })).toMatchObject({ ...whole, offset: 1 });
    expect(b.texts).toEqual(['hello', 'revalidate', 'kept']);
    expect((await b.history.read('log', { limit: 10 }, retention)).publications).toEqual([{ offset: 1, text }]);
    for (const { bus } of [a, b]) expect(bus.stats).toMatchObject({ ignored: 0, unsigned: 0, wronglySigned: 0 });
  });
});
