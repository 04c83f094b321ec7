import { createClient } from '@redis/client';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisBusNode } from '../../../../test/helpers/redis-bus-node.js';
import { startRedis, type RedisServer } from '../../../../test/helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../../../test/helpers/tcp-proxy.js';
import { collectLogs } from '../../../../test/helpers/handler-harness.js';
import { user } from '../../../core/routing/address.js';
import { createConnection } from '../../../core/connection/connection.js';
import type { EnvelopeContent } from '../../../core/routing/envelope.js';
import { nodeSubject } from '../../../core/bus/subject.js';
import type { RedisBackendOptions } from '../connection/redis-options.js';
import { NodeCoverage } from './node-coverage.js';
import type { RedisClientTemplate } from '../connection/redis-place.js';

/** The deadline for events that are immediate on an idle machine. */
const WAIT_MS = 15_000;
vi.setConfig({ testTimeout: 40_000 });

const SUBJECT = 'user:ann';
const RETENTION = { size: 10, ttlMs: 5_000 };
const ORDER: EnvelopeContent = { kind: 'disconnect', code: 'FORCED', reason: 'signed out' };

let redis: RedisServer;
let options: RedisBackendOptions;

beforeEach(async () => {
  collectLogs();
  redis = await startRedis();
  options = { url: redis.url, commandTimeoutMs: 2_000, leaseRefreshMs: 200, leaseTtlMs: 2_000 };
});

async function start(count: number): Promise<RedisBusNode[]> {
  const nodes: RedisBusNode[] = [];
  for (let i = 0; i < count; i++) nodes.push(await RedisBusNode.start(options));
  for (const node of nodes) await node.bus.join(SUBJECT);
  return nodes;
}

const attached = (...nodes: RedisBusNode[]) =>
  vi.waitFor(() => expect(nodes.map(({ bus }) => bus.isAttached)).toEqual(nodes.map(() => true)), WAIT_MS);

it('A snapshot that does not fit into one frame comes shortened, instead of not at all', async () => {
  options = { ...options, maxEnvelopeBytes: 2_048 };
  const [a, b] = await start(2);
  const traffic = { address: 'topic', pattern: 'p'.repeat(1_500), sent: 1, received: 0 };
  const parts = { queueBytes: 0, loopDelayMs: 0, traffic: [traffic, traffic], closes: [], refusals: [] };
  const counts = { connections: 1, users: 1, topics: 0, subscriptions: 0 };
  const snapshot = {
    nodeId: b!.id,
    at: 2,
    startedAt: 1,
    counts,
    health: { status: 'up' as const, reasons: [] },
    ...parts,
  };
  b!.results = [snapshot];
  const found = await a!.bus.ask(SUBJECT, { kind: 'inspection', of: {} }, { partial: true });
  expect(found).toEqual([
    { ...snapshot, traffic: [], health: { status: 'up', reasons: [expect.stringContaining('shortened')] } },
  ]);
});

describe('a report', () => {
  it('adds up what all nodes delivered', async () => {
    const [a, b] = await start(2);
    b!.recipients = 3;
    expect(await a!.publish(SUBJECT)).toEqual({ recipients: 4, nodes: 2, complete: true });
  });

  it('knows only this node when none was asked for', async () => {
    const [a] = await start(2);
    expect(await a!.publish(SUBJECT, 'hello', false)).toEqual({ recipients: 1, nodes: 1, complete: false });
  });

  it.each<[string, (node: RedisBusNode) => Promise<unknown>]>([
    ['an order', (node) => node.send(SUBJECT, ORDER)],
    ['a publication', (node) => node.history.publish('chat:1', '{"type":"t"}', RETENTION, { report: true })],
  ])(
    'of %s needs one check of who is subscribed, and another one if it was sent again with its script',
    async (_what, send) => {
      const [a] = await start(2);
      await send(a!);
      const checks = vi.spyOn(NodeCoverage.prototype, 'checkAgain');
      onTestFinished(() => checks.mockRestore());
      expect(await send(a!)).toMatchObject({ complete: true });
      expect(checks).toHaveBeenCalledTimes(1);
      await redis.cli('SCRIPT', 'FLUSH');
      expect(await send(a!)).toMatchObject({ complete: true });
      expect(checks).toHaveBeenCalledTimes(3);
    },
  );

  it('has nobody answer when none was asked for', async () => {
    const [a] = await start(2);
    await a!.publish(SUBJECT);
    const answers: unknown[] = [];
    const spy = await createClient({ url: redis.url }).connect();
    onTestFinished(() => spy.destroy());
    await spy.subscribe(`realtime@0:bus:${a!.id}`, (text) => answers.push(...JSON.parse(text.split('\n')[1]!)));
    await Promise.all(Array.from({ length: 20 }, () => a!.publish(SUBJECT, 'silent', false)));
    // An answer sent earlier would come before this one.
    await a!.publish(SUBJECT, 'answered', true);
    expect(answers).toHaveLength(1);
  });

  it('adds up what came in answers that had to be small', async () => {
    options = { ...options, maxEnvelopeBytes: 1_024 };
    const [a] = await start(2);
    const reports = await Promise.all(Array.from({ length: 500 }, () => a!.publish(SUBJECT)));
    expect(reports).toEqual(reports.map(() => ({ recipients: 2, nodes: 2, complete: true })));
  });

  it('is complete when no other node was reached, though none was asked for', async () => {
    const [a] = await start(1);
    expect(await a!.publish(SUBJECT, 'hello', false)).toEqual({ recipients: 1, nodes: 1, complete: true });
  });

  it('does not wait for a node that lingers in a subject', async () => {
    const [a, b] = await start(2);
    b!.bus.leave(SUBJECT);
    expect(await a!.publish(SUBJECT)).toEqual({ recipients: 1, nodes: 1, complete: true });
    expect(b!.texts).toEqual([]);
  });

  it('waits a second for a node that is silent, and not again', async () => {
    const [a] = await start(1);
    const silent = await createClient({ url: redis.url }).connect();
    onTestFinished(() => silent.destroy());
    await silent.subscribe(['realtime@0:bus', `realtime@0:${SUBJECT}`], () => undefined);
    const tookMs = async (): Promise<number> => {
      const before = performance.now();
      expect(await a!.publish(SUBJECT)).toEqual({ recipients: 1, nodes: 1, complete: false });
      return performance.now() - before;
    };
    const first = await tookMs();
    const second = await tookMs();
    expect([first > 900, second < 500]).toEqual([true, true]);
  });
});

describe('a query', () => {
  const connection = (id: string) =>
    createConnection({
      id,
      userId: 'ann',
      roles: ['admin'],
      metadata: { a: 1 },
      createdAt: new Date(1),
      expiresAt: new Date(2),
    });

  it('is answered by all nodes together', async () => {
    const [a, b] = await start(2);
    a!.results = [connection('a.1')];
    b!.results = [connection('b.1')];
    const found = await a!.bus.ask(SUBJECT, { kind: 'connections', of: user('ann') });
    expect(found.toSorted((x, y) => x.id.localeCompare(y.id))).toEqual([connection('a.1'), connection('b.1')]);
  });

  it('is answered in parts when there is much to say', async () => {
    const [a, b] = await start(2);
    b!.results = Array.from({ length: 1_000 }, (_, i) => connection(`b.${i}`));
    expect(await a!.bus.ask(SUBJECT, { kind: 'connections', of: user('ann') })).toHaveLength(1_000);
  });

  it('is answered in parts that are small enough', async () => {
    options = { ...options, maxEnvelopeBytes: 1_024 };
    const [a, b] = await start(2);
    b!.results = Array.from({ length: 300 }, (_, i) => `topic:${i}`);
    expect(await a!.bus.ask(SUBJECT, { kind: 'topics', of: 'b.1' })).toEqual(b!.results);
  });

  it('is refused when something that was found cannot be told', async () => {
    options = { ...options, maxEnvelopeBytes: 1_024 };
    const [a, b] = await start(2);
    b!.results = ['x'.repeat(1_024), ...Array.from({ length: 200 }, (_, i) => `topic:${i}`)];
    await expect(a!.bus.ask(SUBJECT, { kind: 'topics', of: 'b.1' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('is refused when not everybody has answered', async () => {
    const [a] = await start(1);
    const silent = await createClient({ url: redis.url }).connect();
    onTestFinished(() => silent.destroy());
    await silent.subscribe(`realtime@0:${SUBJECT}`, () => undefined);
    await expect(a!.bus.ask(SUBJECT, { kind: 'topics', of: 'a.1' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that is partial is answered by those that answer', async () => {
    const [a, b] = await start(2);
    const silent = await createClient({ url: redis.url }).connect();
    onTestFinished(() => silent.destroy());
    await silent.subscribe(`realtime@0:${SUBJECT}`, () => undefined);
    a!.results = ['here'];
    b!.results = ['there'];
    const ask = async () => a!.bus.ask(SUBJECT, { kind: 'topics', of: 'a.1' }, { partial: true });
    // Who answers late on a busy machine is left out, so it may take another question.
    await expect.poll(async () => (await ask()).toSorted()).toEqual(['here', 'there']);
  });
});

describe('while Redis is away', () => {
  it('this node’s connections are served, and the report is not complete', async () => {
    const [a, b] = await start(2);
    await redis.kill();
    await vi.waitFor(() => expect(a!.bus.isAttached).toBe(false), WAIT_MS);
    expect(await a!.publish(SUBJECT)).toEqual({ recipients: 1, nodes: 1, complete: false });
    expect([a!.texts, b!.texts]).toEqual([['hello'], []]);
  });

  it('what is on its way is served here, once and in its order', async () => {
    const [a] = await start(1);
    redis.pause();
    const reports = Promise.all(['1', '2', '3'].map((text) => a!.publish(SUBJECT, text)));
    expect((await reports).map(({ complete }) => complete)).toEqual([false, false, false]);
    redis.resume();
    await attached(a!);
    await a!.publish(SUBJECT, '4');
    expect(a!.texts).toEqual(['1', '2', '3', '4']);
  });

  it('an order is carried out here, and refused for the rest', async () => {
    const [a] = await start(1);
    await redis.kill();
    await vi.waitFor(() => expect(a!.bus.isAttached).toBe(false), WAIT_MS);
    await expect(a!.send(SUBJECT, ORDER)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(a!.texts).toEqual(['disconnect']);
  });

  it('an order to this node is carried out', async () => {
    const [a] = await start(1);
    await redis.kill();
    expect(await a!.send(nodeSubject(a!.id), ORDER)).toEqual({ recipients: 1, nodes: 1, complete: true });
  });

  it('a join waits, and is active when Redis is back', async () => {
    const [a, b] = await start(2);
    await redis.kill();
    await vi.waitFor(() => expect(a!.bus.isAttached).toBe(false), WAIT_MS);
    const joined = a!.bus.join('user:bob');
    await redis.restart();
    await joined;
    await attached(a!, b!);
    expect(await b!.publish('user:bob')).toMatchObject({ recipients: 1 });
  });

  it('a join is refused when it takes too long, and active later all the same', async () => {
    const [a, b] = await start(2);
    await redis.kill();
    await expect(a!.bus.join('user:bob')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.restart();
    await attached(a!, b!);
    await vi.waitFor(async () => expect(await b!.publish('user:bob')).toMatchObject({ recipients: 1 }), WAIT_MS);
  });

  it('all that was joined is joined again afterwards', async () => {
    const [a, b] = await start(2);
    const subjects = Array.from({ length: 1_500 }, (_, i) => `topic:${i}`);
    await Promise.all(subjects.map(async (subject) => a!.bus.join(subject)));
    await redis.restart();
    await vi.waitFor(() => expect(a!.bus.stats.gaps).toBeGreaterThan(0), WAIT_MS);
    await attached(a!, b!);
    await vi.waitFor(async () => {
      const arrived = new Set(a!.texts);
      await Promise.all(
        subjects.filter((subject) => !arrived.has(subject)).map((subject) => b!.publish(subject, subject)),
      );
      expect(new Set(a!.texts).size).toBe(1_500);
    }, WAIT_MS);
  });
});

describe('a subscribing connection that is cut by Redis', () => {
  it('is noticed, counted and made again', async () => {
    const [a, b] = await start(2);
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await vi.waitFor(() => expect([a!.bus.stats.gaps, b!.bus.stats.gaps]).toEqual([1, 1]), WAIT_MS);
    await attached(a!, b!);
    await vi.waitFor(
      async () => expect(await b!.publish(SUBJECT)).toEqual({ recipients: 2, nodes: 2, complete: true }),
      WAIT_MS,
    );
  });
});

describe('a subscribing connection over which nothing comes any more', () => {
  /** A node whose second connection, the subscribing one, goes through a proxy. */
  async function throughProxy(): Promise<{ readonly node: RedisBusNode; readonly proxy: TcpProxy }> {
    const proxy = await startTcpProxy(redis.port);
    const urls = [redis.url, `redis://127.0.0.1:${proxy.port}`];
    let made = 0;
    const client: RedisClientTemplate = {
      duplicate: (overrides) => createClient({ url: urls[Math.min(made++, 1)], ...overrides }),
    };
    const node = await RedisBusNode.start({ ...options, url: undefined, client });
    await node.bus.join(SUBJECT);
    return { node, proxy };
  }

  it('is noticed by what this node publishes, which is served all the same', async () => {
    const { node, proxy } = await throughProxy();
    proxy.stall(['replies']);
    expect(await node.publish(SUBJECT)).toEqual({ recipients: 1, nodes: 1, complete: false });
    await vi.waitFor(() => expect(node.bus.stats.gaps).toBe(1), WAIT_MS);
    proxy.pass();
    await attached(node);
    await vi.waitFor(
      async () => expect(await node.publish(SUBJECT, 'again')).toMatchObject({ complete: true }),
      WAIT_MS,
    );
    expect(node.texts.filter((text) => text === 'hello')).toHaveLength(1);
  });

  it('is noticed by a message to itself when nothing is published', async () => {
    options = { ...options, probeIntervalMs: 1_000 };
    const { node, proxy } = await throughProxy();
    proxy.stall(['replies']);
    await vi.waitFor(() => expect(node.bus.stats.gaps).toBeGreaterThan(0), WAIT_MS);
    proxy.pass();
    await attached(node);
  });

  it('is not suspected while Redis is slow', async () => {
    const { node, proxy } = await throughProxy();
    proxy.delay(100);
    for (let i = 0; i < 10; i++) expect(await node.publish(SUBJECT)).toMatchObject({ complete: true });
    expect(node.bus.stats.gaps).toBe(0);
  });
});

describe('a node that ends', () => {
  it('logs nothing out of the ordinary', async () => {
    const logs = collectLogs();
    const [a] = await start(1);
    await a!.stop();
    expect(logs).toEqual([]);
  });
});

describe('what is no frame of ours', () => {
  it('is counted and ignored', async () => {
    const [a] = await start(1);
    for (const text of ['', 'garbage', '2e["x",1]\n', `1e["${'x'.repeat(2_000_000)}`]) {
      await redis.cli('PUBLISH', `realtime@0:${SUBJECT}`, text.slice(0, 100_000));
    }
    await vi.waitFor(() => expect(a!.bus.stats.ignored).toBe(4), WAIT_MS);
    expect(a!.texts).toEqual([]);
  });

  it('is one that is larger than is allowed', async () => {
    const [a] = await start(1);
    const b = await RedisBusNode.start({ ...options, maxEnvelopeBytes: 100_000 });
    await b.bus.join(SUBJECT);
    await a!.publish(SUBJECT, 'x'.repeat(150_000), false);
    await vi.waitFor(() => expect(b.bus.stats.ignored).toBe(1), WAIT_MS);
    expect([a!.texts.length, b.texts.length]).toEqual([1, 0]);
  });

  it('is taken once when it is played back', async () => {
    const [a, b] = await start(2);
    const heard: string[] = [];
    const spy = await createClient({ url: redis.url }).connect();
    onTestFinished(() => spy.destroy());
    await spy.subscribe(`realtime@0:${SUBJECT}`, (text) => heard.push(text));
    await a!.publish(SUBJECT, 'once', false);
    await vi.waitFor(() => expect(heard).toHaveLength(1), WAIT_MS);
    await redis.cli('PUBLISH', `realtime@0:${SUBJECT}`, heard[0]!);
    await vi.waitFor(() => expect(b!.bus.stats.repeated).toBe(1), WAIT_MS);
    expect(b!.texts).toEqual(['once']);
  });
});

describe('a subject that is left and joined again over a slow connection', () => {
  it('is heard once the join has resolved, though it was about to be unsubscribed', async () => {
    const [a] = await start(1);
    const proxy = await startTcpProxy(redis.port);
    const b = await RedisBusNode.start({ ...options, url: `redis://127.0.0.1:${proxy.port}`, lingerMs: 100 });
    proxy.delay(300);
    const joined = b.bus.join('topic:feed');
    b.bus.leave('topic:feed');
    await joined;
    await b.bus.join('topic:feed');
    proxy.pass();
    await a!.publish('topic:feed', 'again', false);
    await vi.waitFor(() => expect(b.texts).toContain('again'), WAIT_MS);
  });
});

describe('booting while Redis is away', () => {
  it('fails', async () => {
    await redis.kill();
    await expect(RedisBusNode.start(options)).rejects.toThrow(/requireAtBoot/);
  });

  it('succeeds, not attached, where that is wanted', async () => {
    await redis.kill();
    const node = await RedisBusNode.start({ ...options, requireAtBoot: false });
    expect(node.bus.isAttached).toBe(false);
    await redis.restart();
    await attached(node);
    await node.bus.join(SUBJECT);
    const whole = { recipients: 1, nodes: 1, complete: true };
    await vi.waitFor(async () => expect(await node.publish(SUBJECT)).toEqual(whole), WAIT_MS);
  });
});

describe('the directory', () => {
  it('keeps reports from being complete while a node that was there has not come back', async () => {
    const [a, b] = await start(2);
    await vi.waitFor(async () => expect(await a!.directory.nodes()).toHaveLength(2), WAIT_MS);
    expect(a!.directory.isEveryNodeAttached).toBe(true);
    await redis.cli('HDEL', 'realtime@0:{nodes}:leases', b!.id);
    await redis.cli('ZREM', 'realtime@0:{nodes}:expiries', b!.id);
    a!.directory.attached(true);
    await vi.waitFor(() => expect(a!.directory.isEveryNodeAttached).toBe(false), WAIT_MS);
    await vi.waitFor(() => expect(a!.directory.isEveryNodeAttached).toBe(true), WAIT_MS);
  });

  it('forgets a node that has crashed when its lease has run out', async () => {
    const [a] = await start(1);
    const lease = '[1,0,1,5,5,5,5]';
    await redis.cli('HSET', 'realtime@0:{nodes}:leases', 'crashed', lease);
    await redis.cli('ZADD', 'realtime@0:{nodes}:expiries', Date.now() + 1_500, 'crashed');
    await vi.waitFor(async () => expect(await a!.directory.nodes()).toHaveLength(2), WAIT_MS);
    await vi.waitFor(async () => expect(await a!.directory.nodes()).toHaveLength(1), WAIT_MS);
    expect(a!.directory.isEveryNodeAttached).toBe(true);
  });

  it('lists all nodes with what they hold', async () => {
    const nodes = await start(2);
    const ids = nodes.map(({ id }) => id).sort();
    for (const { directory } of nodes) {
      await vi.waitFor(async () => expect((await directory.nodes()).map(({ id }) => id).sort()).toEqual(ids), WAIT_MS);
    }
  });

  it('forgets a node that ends at once', async () => {
    const [a, b] = await start(2);
    await b!.stop();
    await vi.waitFor(async () => expect((await a!.directory.nodes()).map(({ id }) => id)).toEqual([a!.id]), WAIT_MS);
  });

  it('rejects instead of counting what nodes once held, while Redis refuses the leases', async () => {
    const [a] = await start(2);
    const counted = { connections: 2, users: 1 };
    await vi.waitFor(async () => expect(await a!.directory.counts()).toMatchObject(counted), WAIT_MS);
    await redis.cli('CONFIG', 'SET', 'maxmemory', 1);
    const refused = { code: 'UNAVAILABLE', message: expect.stringContaining('OOM') };
    await vi.waitFor(() => expect(a!.directory.counts()).rejects.toMatchObject(refused), WAIT_MS);
    expect(a!.bus.isAttached).toBe(true);
    await redis.cli('CONFIG', 'SET', 'maxmemory', 0);
    await vi.waitFor(async () => expect(await a!.directory.counts()).toMatchObject(counted), WAIT_MS);
  });

  it('does not list a node again that has ended while the leases were being read', async () => {
    const proxy = await startTcpProxy(redis.port);
    const slow = { ...options, url: `redis://127.0.0.1:${proxy.port}`, commandTimeoutMs: 10_000 };
    const [a, b] = [await RedisBusNode.start(slow), await RedisBusNode.start(options)];
    await vi.waitFor(async () => expect(await a.directory.nodes()).toHaveLength(2), WAIT_MS);
    proxy.stall(['replies'], 'EVALSHA');
    // What was read before is used for a second.
    await delay(1_500);
    await b.stop();
    const listed = a.directory.nodes();
    await delay(200);
    proxy.pass();
    expect((await listed).map(({ id }) => id)).toEqual([a.id]);
    expect(a.directory.isEveryNodeAttached).toBe(true);
  });

  it('counts a user of several nodes once', async () => {
    const [a, b] = await start(2);
    await b!.bus.join('user:bob');
    await b!.bus.join('topic:feed');
    const expected = { connections: 2, users: 2, topics: 1, subscriptions: 0 };
    await vi.waitFor(async () => expect(await a!.directory.counts()).toEqual(expected), WAIT_MS);
  });

  it('leaves nothing in Redis when the last node has ended', async () => {
    const nodes = await start(2);
    for (const node of nodes) await node.stop();
    expect(await redis.cli('KEYS', '*')).toBe('');
  });

  it('clears away what is in the way of its keys', async () => {
    await redis.cli('SET', 'realtime@0:{nodes}:leases', 'garbage');
    const [a] = await start(1);
    expect((await a!.directory.nodes()).map(({ id }) => id)).toEqual([a!.id]);
    await vi.waitFor(async () => expect(await redis.cli('TYPE', 'realtime@0:{nodes}:leases')).toBe('hash'), WAIT_MS);
  });
});
