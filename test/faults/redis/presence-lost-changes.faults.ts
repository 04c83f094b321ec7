import { createClient } from '@redis/client';
import { setTimeout as delay } from 'node:timers/promises';
import type { RedisBackendOptions } from 'nestjs-realtime/redis';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RedisNetwork } from '../../../lib/adapters/redis/connection/redis-network.js';
import { RedisScript } from '../../../lib/adapters/redis/connection/redis-script.js';
import { sayPresenceScript, tendPresenceScript } from '../../../lib/adapters/redis/presence/presence-scripts.js';
import { LocalPresence } from '../../../lib/delivery/local-presence.js';
import { startRedisCluster } from '../../helpers/redis-cluster.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy } from '../../helpers/tcp-proxy.js';
import { PresenceNode, type Move } from './presence-node.js';
import { PresenceProcess } from './presence-process.js';
import { ROOM, startPresenceApp, usersOf } from './presence-scene.js';

/** A lease of 800 ms. */
const QUICK = { leaseRefreshMs: 200, leaseTtlMs: 1_000, commandTimeoutMs: 1_000 };
const PATIENT = { timeout: 20_000, interval: 20 };
const ANN: Move = ['chat:1', 'ann'];
const BOB: Move = ['chat:1', 'bob'];

async function start(id: string, url: string): Promise<PresenceNode> {
  const node = await PresenceNode.start(id, { url, ...QUICK }, ['chat:1']);
  onTestFinished(() => node.close(0));
  return node;
}

/** Waits until Redis knows that a node has acted on what it was told. */
async function actedOn(redis: RedisServer, incarnation: string): Promise<void> {
  await expect.poll(() => redis.cli('EXISTS', `realtime@0:told:${incarnation}`)).toBe('0');
}

/** Leaves something out of every script of the nodes in this process, until the test has finished. */
function withoutInScripts(text: RegExp): void {
  const { run } = RedisScript.prototype;
  const poorer = new Map<RedisScript, RedisScript>();
  const running = vi.spyOn(RedisScript.prototype, 'run').mockImplementation(function (this: RedisScript, ...call) {
    const { source } = this as unknown as { readonly source: string };
    const script = poorer.get(this) ?? new RedisScript(source.replaceAll(text, ''));
    poorer.set(this, script);
    return run.apply(script, call);
  });
  onTestFinished(() => running.mockRestore());
}

/** The first answer by which a node learns that an incarnation was declared dead is lost. */
function loseAnswerAbout(incarnation: string): void {
  const { run } = RedisNetwork.prototype;
  let isLost = false;
  const running = vi.spyOn(RedisNetwork.prototype, 'run').mockImplementation(async function (
    this: RedisNetwork,
    script,
    call,
  ) {
    const reply = await run.call(this, script, call);
    if (script !== tendPresenceScript || isLost || !JSON.stringify(reply).includes(`"${incarnation}"`)) return reply;
    isLost = true;
    throw new Error('The answer is lost.');
  });
  onTestFinished(() => {
    running.mockRestore();
    expect(isLost).toBe(true);
  });
}

/** A node that is away for longer than its lease, so that its user has left, and comes back to a Redis without its data. */
async function awayAndEmptied({
  isRemembered = true,
  isBackFirst = false,
  isEmptiedBefore = false,
  isMoved = false,
  isUnanswered = false,
}) {
  const redis = await startRedis();
  const [proxy, other] = [await startTcpProxy(redis.port), await startTcpProxy(redis.port)];
  const away = await start('away', `redis://127.0.0.1:${proxy.port}`);
  const witness = await start('witness', `redis://127.0.0.1:${other.port}`);
  await away.set(ANN);
  await actedOn(redis, 'away.1');
  if (isEmptiedBefore) {
    await redis.cli('FLUSHALL');
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:held:away.2', 'chat:1\n"ann"'), PATIENT).toBe('1');
    await expect.poll(() => redis.cli('ZCARD', 'realtime@0:holders'), PATIENT).toBe('2');
  }
  if (isUnanswered) loseAnswerAbout('away.1');
  proxy.refuse();
  await expect.poll(() => witness.told(), PATIENT).toEqual(['left chat:1 ann']);
  if (isMoved) {
    await away.remove(ANN);
    await witness.set(ANN);
    await actedOn(redis, `witness.${isEmptiedBefore ? 2 : 1}`);
  }
  if (isBackFirst) other.refuse();
  await redis.cli('FLUSHALL');
  if (!isBackFirst) await expect.poll(() => redis.cli('EXISTS', 'realtime@0:buried'), PATIENT).toBe('1');
  if (!isRemembered) await redis.cli('DEL', 'realtime@0:buried');
  proxy.pass();
  await expect.poll(() => away.isAttached, PATIENT).toBe(true);
  other.pass();
  return { redis, away, witness };
}

describe('A user of a node that was away for so long that the user left, while Redis then lost its data', () => {
  it.each([
    ['after the others', false],
    ['before the others', true],
  ])('joins again when the node is back %s', async (_when, isBackFirst) => {
    const { away, witness } = await awayAndEmptied({ isBackFirst });
    await expect.poll(() => away.told(), PATIENT).toEqual(['joined chat:1 ann', 'joined chat:1 ann']);
    expect(await witness.read('chat:1')).toEqual(['ann:1']);
  });

  it('joins again also when the answer that told of its lease was lost, and came with the next one', async () => {
    const { away } = await awayAndEmptied({ isUnanswered: true });
    await expect.poll(() => away.told(), PATIENT).toEqual(['joined chat:1 ann', 'joined chat:1 ann']);
  });

  it('joins again also when Redis had lost its data a moment before', async () => {
    const { away, witness } = await awayAndEmptied({ isEmptiedBefore: true });
    await expect.poll(() => away.told(), PATIENT).toEqual(['joined chat:1 ann', 'joined chat:1 ann']);
    expect(await witness.read('chat:1')).toEqual(['ann:1']);
  });

  it.each([
    ['', false],
    [', also when Redis had lost its data a moment before', true],
  ])('leaves another node after moving there, and then joins again%s', async (_when, isEmptiedBefore) => {
    const { away, witness } = await awayAndEmptied({ isMoved: true, isEmptiedBefore });
    await expect.poll(() => witness.read('chat:1'), PATIENT).toEqual(['ann:1']);
    await witness.remove(ANN);
    // Once all nodes have had time to report their users.
    const last = ['left chat:1 ann', 'joined chat:1 ann', 'left chat:1 ann'];
    await expect.poll(() => witness.told(), PATIENT).toEqual(last);
    await away.set(ANN);
    await expect.poll(() => away.told(), PATIENT).toEqual(['joined chat:1 ann', 'joined chat:1 ann']);
    expect(await witness.told()).toEqual(last);
  });

  it('would stay away if nobody remembered whom it has seen taken for dead', async () => {
    const { away, witness } = await awayAndEmptied({ isRemembered: false });
    await expect.poll(() => witness.read('chat:1'), PATIENT).toEqual(['ann:1']);
    await delay(1_000);
    expect(await away.told()).toEqual(['joined chat:1 ann']);
  });
});

describe('A change that a node is to act on, whose answer does not arrive', () => {
  /** The answer with which `here` ends what a crashed node held is lost, and `here` stays away for longer than its lease. */
  async function departuresLost(redis: RedisServer) {
    const proxy = await startTcpProxy(redis.port);
    const dead = await start('dead', redis.url);
    await dead.set(ANN, BOB);
    await actedOn(redis, 'dead.1');
    const here = await start('here', `redis://127.0.0.1:${proxy.port}`);
    dead.crash();
    // Starting redis-cli may take longer than the answer does.
    const client = createClient({ url: redis.url });
    client.on('error', () => undefined);
    onTestFinished(() => client.destroy());
    await client.connect();
    proxy.delay(150);
    await expect.poll(() => client.exists('realtime@0:told:here.1'), { ...PATIENT, interval: 5 }).toBe(1);
    proxy.refuse();
    return { proxy, here };
  }

  it('is told to the node that ends the lease of that one', async () => {
    const redis = await startRedis();
    const { here, proxy } = await departuresLost(redis);
    const there = await start('there', redis.url);
    await expect
      .poll(async () => [...(await there.told())].sort(), PATIENT)
      .toEqual(['left chat:1 ann', 'left chat:1 bob']);
    proxy.pass();
    await expect.poll(() => here.isAttached, PATIENT).toBe(true);
    await delay(1_000);
    expect(await here.told()).toEqual([]);
    expect(await there.told()).toHaveLength(2);
  });

  it('would be told to nobody if the answer were not kept for longer than a lease', async () => {
    const redis = await startRedis();
    await departuresLost(redis);
    await redis.cli('DEL', 'realtime@0:told:here.1');
    const there = await start('there', redis.url);
    await delay(2_500);
    expect(await there.told()).toEqual([]);
  });

  it('is told to itself when it is back in time', async () => {
    const redis = await startRedis();
    const { here, proxy } = await departuresLost(redis);
    proxy.pass();
    await expect
      .poll(async () => [...(await here.told())].sort(), PATIENT)
      .toEqual(['left chat:1 ann', 'left chat:1 bob']);
  });
});

describe('A join whose answer a node reads only after its lease has expired, when another node has acted on it', () => {
  /** @param isBlind true for the twin: the node does not notice how long it has waited */
  async function readLate(isBlind: boolean) {
    const redis = await startRedis();
    const [late, here] = [await start('late', redis.url), await start('here', redis.url)];
    let read = () => {};
    const isRead = new Promise<void>((resolve) => (read = resolve));
    const { run } = RedisNetwork.prototype;
    const running = vi.spyOn(RedisNetwork.prototype, 'run').mockImplementation(async function (
      this: RedisNetwork,
      script,
      call,
    ) {
      const reply = await run.call(this, script, call);
      if (script === sayPresenceScript) await isRead;
      return reply;
    });
    onTestFinished(() => running.mockRestore());
    const sentAt = performance.now();
    void late.set(ANN);
    await expect.poll(() => here.told(), PATIENT).toEqual(['joined chat:1 ann', 'left chat:1 ann']);
    if (isBlind) {
      const clock = vi.spyOn(performance, 'now').mockReturnValue(sentAt);
      onTestFinished(() => clock.mockRestore());
    }
    read();
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:held:late.2', 'chat:1\n"ann"'), PATIENT).toBe('1');
    await actedOn(redis, 'late.2');
    expect(await here.told()).toHaveLength(2);
    return late.told();
  }

  it('is told to one node, and once more when the user has come back', async () => {
    expect(await readLate(false)).toEqual(['joined chat:1 ann']);
  });

  it('would be told to both if the node did not look at the time', async () => {
    expect(await readLate(true)).toEqual(['joined chat:1 ann', 'joined chat:1 ann']);
  });
});

describe('A node that starts after all were killed', () => {
  async function startedAfter() {
    const redis = await startRedis();
    const killed = await PresenceProcess.start('killed', { url: redis.url, ...QUICK });
    await killed.set([ROOM, 'ann'], ['#online:ann', 'ann']);
    await actedOn(redis, 'killed.1');
    await killed.kill();
    await delay(1_500);
    return startPresenceApp(redis, QUICK);
  }

  it('calls @OnLeave() and tells offline for the users of the dead ones', async () => {
    const app = await startedAfter();
    await expect.poll(() => app.hooks, PATIENT).toEqual(['left ann']);
    await expect.poll(() => app.events, PATIENT).toEqual(['offline ann']);
    await expect.poll(() => usersOf(app), PATIENT).toEqual([]);
  });

  it('would call no @OnLeave() if changes were not held back until the handlers are known', async () => {
    const { open } = LocalPresence.prototype;
    const opening = vi.spyOn(LocalPresence.prototype, 'open').mockImplementation(function (this: LocalPresence, id) {
      this.release();
      return open.call(this, id);
    });
    onTestFinished(() => opening.mockRestore());
    const app = await startedAfter();
    await expect.poll(() => usersOf(app), PATIENT).toEqual([]);
    // Later changes of the same topic call the hooks, one after the other.
    const ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: ROOM });
    await expect.poll(() => app.hooks, PATIENT).toEqual(['joined ann']);
  });
});

describe('The keys of presence', () => {
  /** Has two nodes report 300 users each, and kills them. @returns the keys of these servers, with the rest of their time */
  async function afterCrash(options: RedisBackendOptions, servers: readonly RedisServer[]) {
    const nodes = await Promise.all(['a', 'b'].map((id) => PresenceProcess.start(id, { ...options, ...QUICK })));
    for (const node of nodes) {
      await node.set(...Array.from({ length: 300 }, (_, i): Move => [`chat:${i % 30}`, `user-${i}`]));
    }
    await Promise.all(nodes.map((node) => node.kill()));
    return keysIn(servers);
  }

  async function keysIn(servers: readonly RedisServer[]) {
    const left: (readonly [key: string, ttlMs: number])[] = [];
    for (const server of servers) {
      for (const key of (await server.cli('KEYS', '*')).split('\n').filter((each) => each !== '')) {
        left.push([key, Number(await server.cli('PTTL', key))]);
      }
    }
    return left;
  }

  const forEver = (keys: Awaited<ReturnType<typeof afterCrash>>) =>
    keys.filter(([, ttlMs]) => ttlMs === -1 || ttlMs > 3_600_000);

  it('all expire when all nodes are killed', async () => {
    const redis = await startRedis();
    const keys = await afterCrash({ url: redis.url }, [redis]);
    expect(keys.length).toBeGreaterThan(30);
    expect(forEver(keys)).toEqual([]);
  });

  it('would stay for ever if no script gave them a time', async () => {
    withoutInScripts(/redis\.call\('PEXPIRE', \w+, keepMs\)|, 'PX', keepMs/g);
    const redis = await startRedis();
    const node = await start('a', redis.url);
    await node.set(ANN, BOB);
    node.crash();
    const keys = (await redis.cli('KEYS', '*')).split('\n');
    expect(keys).toContain('realtime@0:present:chat:1');
    for (const key of keys.filter((each) => /presen|held/.test(each))) expect(await redis.cli('PTTL', key)).toBe('-1');
  });

  it('all expire when a node closes, and the last one is killed before it refreshes its lease', async () => {
    const redis = await startRedis();
    const slow = { url: redis.url, leaseRefreshMs: 60_000, leaseTtlMs: 180_000 };
    const [closing, killed] = [await PresenceProcess.start('a', slow), await PresenceProcess.start('b', slow)];
    for (const node of [closing, killed]) await node.set(ANN);
    await closing.close(0);
    await killed.kill();
    const keys = await keysIn([redis]);
    expect(keys.map(([key]) => key)).toContain('realtime@0:leaving');
    expect(forEver(keys)).toEqual([]);
  });

  it('all expire in a Redis Cluster, too', async () => {
    const { servers, urls } = await startRedisCluster();
    const keys = await afterCrash({ cluster: { rootNodes: urls.map((url) => ({ url })) } }, servers);
    expect(keys.length).toBeGreaterThan(100);
    expect(forEver(keys)).toEqual([]);
  });

  it('of topics are kept up while their users stay', async () => {
    const redis = await startRedis();
    const node = await start('a', redis.url);
    await node.set(ANN, ['chat:2', 'ann']);
    for (const topic of ['chat:1', 'chat:2']) await redis.cli('PEXPIRE', `realtime@0:present:${topic}`, 5_000);
    await expect
      .poll(() => redis.cli('PTTL', 'realtime@0:present:chat:2').then(Number), PATIENT)
      .toBeGreaterThan(5_000);
    expect(Number(await redis.cli('PTTL', 'realtime@0:present:chat:1'))).toBeGreaterThan(5_000);
  });
});
