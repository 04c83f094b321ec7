import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { RedisBackendOptions } from '../../../lib/adapters/redis/connection/redis-options.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import { PresenceNode } from './presence-node.js';

const ROOM = 'chat:1';

/** A lease of 2,800 ms. */
const OVER = { leaseRefreshMs: 200, leaseTtlMs: 3_000, commandTimeoutMs: 1_000 };

/** Two nodes; the first has a way to Redis of its own. */
async function pair(over: Partial<RedisBackendOptions> = {}): Promise<{
  readonly redis: RedisServer;
  readonly proxy: TcpProxy;
  readonly here: PresenceNode;
  readonly there: PresenceNode;
}> {
  const redis = await startRedis();
  const proxy = await startTcpProxy(redis.port);
  const start = async (id: string, port: number) => {
    const node = await PresenceNode.start(id, { url: `redis://127.0.0.1:${port}`, ...OVER, ...over }, [ROOM]);
    onTestFinished(() => node.close(0));
    return node;
  };
  return { redis, proxy, here: await start('here', proxy.port), there: await start('there', redis.port) };
}

describe('While Redis is away', () => {
  it('what changes is kept without waiting, and only the newest is said when it is back', async () => {
    const { proxy, here, there } = await pair();
    await here.set([ROOM, 'stays'], [ROOM, 'leaves']);
    proxy.refuse();
    await expect.poll(() => here.isAttached).toBe(false);
    const since = performance.now();
    await here.remove([ROOM, 'leaves']);
    for (let time = 0; time < 500; time++) {
      await here.set([ROOM, 'comes'], [ROOM, 'visits']);
      await here.remove([ROOM, 'visits']);
    }
    // Each waits for a second if it waits.
    expect(performance.now() - since).toBeLessThan(10_000);
    expect(await there.read(ROOM)).toEqual(['leaves:1', 'stays:1']);
    proxy.pass();
    await expect.poll(() => there.read(ROOM)).toEqual(['comes:1', 'stays:1']);
    await expect.poll(() => here.told()).toContain(`joined ${ROOM} comes`);
    expect((await here.told()).filter((text) => text.endsWith('visits'))).toEqual([]);
  });

  it('who is there cannot be read', async () => {
    const { proxy, here } = await pair();
    proxy.refuse();
    await expect.poll(() => here.isAttached).toBe(false);
    await expect(here.read(ROOM)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('for less than a lease, those who are there stay, and nobody is told anything', async () => {
    // The pauses between attempts to connect are random, and add to the outage.
    const { proxy, here, there } = await pair({ leaseTtlMs: 15_000 });
    await here.set([ROOM, 'ann']);
    proxy.refuse();
    await delay(1_000);
    proxy.pass();
    await expect.poll(() => here.isAttached).toBe(true);
    await delay(1_000);
    expect(await there.read(ROOM)).toEqual(['ann:1']);
    expect(await there.heard()).toEqual([`joined ${ROOM} ann`]);
  });
});

describe('When a connection breaks between what is said and Redis’s answer', () => {
  it('it is told once, and has its effect once', async () => {
    const { proxy, here, there } = await pair();
    await here.set([ROOM, 'first']);
    for (const [index, user] of ['ann', 'bob', 'cem'].entries()) {
      // The words of a call stand in the request as they are.
      const cut = proxy.cutAfterRequest(`"${user}"`);
      const said = here.set([ROOM, user]);
      await cut;
      await said;
      await expect.poll(async () => (await here.told()).length).toBe(index + 2);
      await expect.poll(() => here.isAttached).toBe(true);
    }
    const all = ['first', 'ann', 'bob', 'cem'].map((user) => `joined ${ROOM} ${user}`);
    expect(await here.told()).toEqual(all);
    expect(await there.heard()).toEqual(all);
    expect(await there.read(ROOM)).toEqual(['ann:1', 'bob:1', 'cem:1', 'first:1']);
  });

  it('nobody would be told of it if the answer were not kept', async () => {
    const { proxy, here, redis } = await pair({ leaseTtlMs: 15_000 });
    await here.set([ROOM, 'first']);
    const cut = proxy.cutAfterRequest('"ann"');
    const said = here.set([ROOM, 'ann']);
    await cut;
    // The node must not ask for the answer before it is deleted.
    proxy.refuse();
    // Another connection of Redis may be served before the call that was cut.
    await expect.poll(() => redis.cli('HEXISTS', `realtime@0:present:${ROOM}`, '"ann"')).toBe('1');
    await redis.cli('DEL', 'realtime@0:told:here.1');
    proxy.pass();
    await said;
    await expect.poll(() => here.isAttached).toBe(true);
    await here.set([ROOM, 'last']);
    await expect.poll(() => here.told()).toEqual([`joined ${ROOM} first`, `joined ${ROOM} last`]);
  });
});

describe('A refresh', () => {
  const users = Array.from({ length: 100 }, (_, i) => `user-${i}`);

  /** Lets all users come and go while leases are refreshed all the time. @returns the users present in the end */
  async function comeAndGo(node: PresenceNode): Promise<string[]> {
    for (let round = 0; round < 10; round++) {
      await node.set(...users.map((user) => [ROOM, user] as const));
      for (const user of users) await node.remove([ROOM, user]);
    }
    await delay(300);
    return node.read(ROOM);
  }

  it('never brings back who has left', async () => {
    const { here, there } = await pair({ leaseRefreshMs: 100, leaseTtlMs: 1_000 });
    expect(await comeAndGo(here)).toEqual([]);
    const heard = await there.heard();
    expect(heard).toHaveLength(users.length * 20);
    expect(heard.filter((text) => text.endsWith(' user-7'))).toEqual(
      Array.from({ length: 20 }, (_, i) => `${i % 2 === 0 ? 'joined' : 'left'} ${ROOM} user-7`),
    );
  });

  it('would bring back who has left if it said anew what it had read before', async () => {
    const { here } = await pair();
    const end = new AbortController();
    const refresh = async () => {
      while (!end.signal.aborted) {
        const there = await here.read(ROOM);
        await delay(10);
        await here.set(...there.map((text) => [ROOM, text.slice(0, text.indexOf(':'))] as const));
      }
    };
    const refreshing = refresh();
    expect(await comeAndGo(here)).not.toEqual([]);
    end.abort();
    await refreshing;
  });
});
