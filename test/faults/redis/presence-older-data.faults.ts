import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresenceCalls } from '../../../lib/adapters/redis/presence/presence-calls.js';
import { PresenceOutbox } from '../../../lib/core/presence/presence-outbox.js';
import { ToldPicture } from '../../../lib/core/presence/told-picture.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import { PresenceNode } from './presence-node.js';
import { ROOM as HALL, startPresenceApp, Watcher } from './presence-scene.js';

const ROOM = 'chat:1';
const PATIENT = { timeout: 15_000 };

/** A lease of 1,300 ms. */
const OVER = { leaseRefreshMs: 200, leaseTtlMs: 1_500, commandTimeoutMs: 1_000 };

/** A lease of 7,600 ms: a busy machine has a node back before it has run out. */
const LONG = { leaseRefreshMs: 400, leaseTtlMs: 8_000, commandTimeoutMs: 1_000 };

interface Scene {
  readonly redis: RedisServer;
  /** The way of `away` to Redis. */
  readonly way: TcpProxy;
  readonly away: PresenceNode;
  readonly here: PresenceNode;
}

/**
 * Redis comes back with what it had saved, and a node stays away until another one has ended its users.
 * @param joinedAfter users of that node who joined after Redis had saved
 */
async function rolledBack(joinedAfter: readonly string[] = []): Promise<Scene> {
  const redis = await startRedis();
  const way = await startTcpProxy(redis.port);
  const start = async (id: string, port: number) => {
    const node = await PresenceNode.start(id, { url: `redis://127.0.0.1:${port}`, ...OVER }, [ROOM]);
    onTestFinished(() => node.close(0));
    return node;
  };
  const [away, here] = [await start('away', way.port), await start('here', redis.port)];
  await away.set([ROOM, 'ann']);
  // The node has acted on it: no other one has to.
  await expect.poll(() => redis.cli('EXISTS', 'realtime@0:told:away.1'), PATIENT).toBe('0');
  await redis.cli('SAVE');
  await away.set(...joinedAfter.map((user) => [ROOM, user] as const));
  way.refuse();
  await redis.kill();
  await redis.restart();
  await expect.poll(() => here.told(), PATIENT).toContain(`left ${ROOM} ann`);
  return { redis, way, away, here };
}

describe('When Redis comes back with data from a time when a node was closing', () => {
  it('users who have gone on at another node are not told to have left', async () => {
    const redis = await startRedis();
    const start = (id: string) => PresenceNode.start(id, { url: redis.url, ...OVER }, [ROOM]);
    const [closing, here] = [await start('closing'), await start('here')];
    onTestFinished(() => here.close(0));
    await closing.set([ROOM, 'ann']);
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:told:closing.1'), PATIENT).toBe('0');
    // Long enough to save and to go on elsewhere on a slow machine.
    await closing.close(3_000);
    await redis.cli('SAVE');
    await here.set([ROOM, 'ann']);
    await expect.poll(() => redis.cli('ZCARD', 'realtime@0:leaving'), PATIENT).toBe('0');
    const epoch = () => redis.cli('HGET', 'realtime@0:presence', 'epoch');
    const before = await epoch();
    await redis.kill();
    await redis.restart();
    await expect.poll(epoch, PATIENT).not.toBe(before);
    // The older data is ended some time after the node has reported its users again.
    await expect.poll(() => redis.cli('ZCARD', 'realtime@0:leaving'), PATIENT).toBe('0');
    expect(await here.read(ROOM)).toEqual(['ann:1']);
    expect(await here.told()).toEqual([]);
  });
});

describe('When Redis comes back with older data, and a node returns after its users were told to have left', () => {
  it('their joins are told on one node, as their leaves were', async () => {
    const { way, away, here } = await rolledBack();
    way.pass();
    await expect.poll(() => away.told(), PATIENT).toEqual([`joined ${ROOM} ann`, `joined ${ROOM} ann`]);
    expect(await here.told()).toEqual([`left ${ROOM} ann`]);
    expect((await here.heard()).slice(-2)).toEqual([`left ${ROOM} ann`, `joined ${ROOM} ann`]);
  });

  it('users whom the older data did not have, and who never left by it, are not told to join again', async () => {
    const { way, away } = await rolledBack(['bob']);
    way.pass();
    await expect.poll(() => away.read(ROOM).catch(() => []), PATIENT).toEqual(['ann:1', 'bob:1']);
    await expect.poll(() => away.told(), PATIENT).toContain(`joined ${ROOM} bob`);
    expect((await away.told()).filter((text) => text.endsWith('bob'))).toEqual([`joined ${ROOM} bob`]);
  });

  it('their joins are told also when Redis then loses its data, before the node is back', async () => {
    const { redis, way, away } = await rolledBack();
    await redis.cli('FLUSHALL');
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:buried'), PATIENT).toBe('1');
    way.pass();
    await expect.poll(() => away.told(), PATIENT).toEqual([`joined ${ROOM} ann`, `joined ${ROOM} ann`]);
  });

  it('their joins would not be told then if nobody remembered whose users have left', async () => {
    const { redis, way, away } = await rolledBack();
    await redis.cli('FLUSHALL');
    await expect.poll(() => redis.cli('DEL', 'realtime@0:buried', 'realtime@0:gone'), PATIENT).toBe('2');
    way.pass();
    await expect.poll(() => away.read(ROOM).catch(() => []), PATIENT).toEqual(['ann:1']);
    expect(await away.told()).toEqual([`joined ${ROOM} ann`]);
  });

  it('no node would be told of the joins if the leaves were not kept', async () => {
    const { redis, way, away } = await rolledBack();
    await redis.cli('DEL', 'realtime@0:gone');
    way.pass();
    await expect.poll(() => away.read(ROOM).catch(() => []), PATIENT).toEqual(['ann:1']);
    expect(await away.told()).toEqual([`joined ${ROOM} ann`]);
  });
});

describe('When Redis comes back with older data, and a node returns after one of its users was told to have left, and had', () => {
  /** @returns what the node is told from then on: until it has reported its users, and when the user is back */
  async function wentMeanwhile(): Promise<{ readonly away: string[]; readonly back: string[]; readonly scene: Scene }> {
    const scene = await rolledBack(['bob']);
    const { way, away } = scene;
    void away.remove([ROOM, 'ann']);
    const before = (await away.told()).length;
    way.pass();
    // Reads are refused until the node has reported its users. One who had gone is listed until the others have had the time to.
    await expect.poll(() => away.read(ROOM).catch(() => []), PATIENT).toEqual(['bob:1']);
    const told = async () => (await away.told()).slice(before).filter((text) => text.endsWith('ann'));
    const first = await told();
    await away.set([ROOM, 'ann']);
    return { away: first, back: (await told()).slice(first.length), scene };
  }

  it('no join is told before the user is back', async () => {
    const { away, back, scene } = await wentMeanwhile();
    expect(away).toEqual([]);
    expect(back).toEqual([`joined ${ROOM} ann`]);
    expect(await scene.here.told()).toEqual([`left ${ROOM} ann`]);
  });

  it('a join would be told if the node reported the user like one who is there', async () => {
    const take = Object.getOwnPropertyDescriptor(PresenceOutbox.prototype, 'take')!.value as PresenceOutbox['take'];
    const taken = vi.spyOn(PresenceOutbox.prototype, 'take').mockImplementation(function (this: PresenceOutbox, limit) {
      return take
        .call(this, limit)
        .map((update) => (update.manner === 'leaving' ? { ...update, manner: 'silently' } : update));
    });
    onTestFinished(() => taken.mockRestore());
    expect((await wentMeanwhile()).away).toEqual([`joined ${ROOM} ann`, `left ${ROOM} ann`]);
  });
});

describe('When Redis comes back with older data, in which a node has users that was killed since', () => {
  /** The user of the killed node was told to have left, and has come back to another node while Redis was away. */
  async function backElsewhere(): Promise<{ readonly redis: RedisServer; readonly here: PresenceNode }> {
    const redis = await startRedis();
    const start = (id: string) => PresenceNode.start(id, { url: redis.url, ...OVER }, [ROOM]);
    const [killed, here] = [await start('killed'), await start('here')];
    onTestFinished(() => here.close(0));
    await killed.set([ROOM, 'ann'], [ROOM, 'bob']);
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:told:killed.1'), PATIENT).toBe('0');
    await redis.cli('SAVE');
    killed.crash();
    await expect
      .poll(async () => [...(await here.told())].sort(), PATIENT)
      .toEqual([`left ${ROOM} ann`, `left ${ROOM} bob`]);
    await redis.kill();
    await here.set([ROOM, 'ann']);
    await redis.restart();
    return { redis, here };
  }

  const isOver = (redis: RedisServer) =>
    expect.poll(() => redis.cli('EXISTS', 'realtime@0:old', 'realtime@0:held:killed.1'), PATIENT).toBe('0');

  it('the join of one who is back is told, and no leave a second time', async () => {
    const { redis, here } = await backElsewhere();
    await expect.poll(async () => (await here.told()).slice(2), PATIENT).toEqual([`joined ${ROOM} ann`]);
    await isOver(redis);
    expect((await here.told()).slice(2)).toEqual([`joined ${ROOM} ann`]);
    expect(await here.read(ROOM)).toEqual(['ann:1']);
  });

  it('the join would be missing, and the leave told twice, if nobody remembered whose users have left', async () => {
    const { tend } = PresenceCalls.prototype;
    const forgetful = vi.spyOn(PresenceCalls.prototype, 'tend').mockImplementation(async function (
      this: PresenceCalls,
      tending,
    ) {
      return tend.call(this, { ...tending, seenDead: new Map() });
    });
    onTestFinished(() => forgetful.mockRestore());
    const { redis, here } = await backElsewhere();
    await expect.poll(async () => (await here.told()).slice(2), PATIENT).toEqual([`left ${ROOM} bob`]);
    await isOver(redis);
    expect((await here.told()).slice(2)).toEqual([`left ${ROOM} bob`]);
  });
});

describe('When Redis comes back empty, and a node returns after its user was told to have left at another one', () => {
  /** The user is on both nodes, and leaves one of them while the other one is away. */
  async function leftMeanwhile(meddle: (redis: RedisServer) => Promise<unknown> = async () => {}): Promise<Scene> {
    const redis = await startRedis();
    const way = await startTcpProxy(redis.port);
    const start = async (id: string, port: number) => {
      const node = await PresenceNode.start(id, { url: `redis://127.0.0.1:${port}`, ...OVER }, [ROOM]);
      onTestFinished(() => node.close(0));
      return node;
    };
    const [away, here] = [await start('away', way.port), await start('here', redis.port)];
    await away.set([ROOM, 'ann']);
    await here.set([ROOM, 'ann']);
    way.refuse();
    await redis.cli('FLUSHALL');
    const members = () => redis.cli('HKEYS', 'realtime@0:held:here.2');
    await expect.poll(members, PATIENT).toBe(`${ROOM}\n"ann"`);
    await here.remove([ROOM, 'ann']);
    await expect.poll(() => here.told(), PATIENT).toEqual([`left ${ROOM} ann`]);
    await meddle(redis);
    way.pass();
    await expect.poll(() => here.read(ROOM), PATIENT).toEqual(['ann:1']);
    return { redis, way, away, here };
  }

  it('the join is told on one node, as the leave was', async () => {
    const { away, here } = await leftMeanwhile();
    await expect.poll(() => away.told(), PATIENT).toEqual([`joined ${ROOM} ann`, `joined ${ROOM} ann`]);
    expect(await here.told()).toEqual([`left ${ROOM} ann`]);
  });

  /** All is lost once more, and the node that told the leave is back first. */
  async function lostAgain(redis: RedisServer): Promise<void> {
    await redis.cli('FLUSHALL');
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:gone'), PATIENT).toBe('1');
  }

  it('the join is told also when Redis has lost its data a second time', async () => {
    const { away, here } = await leftMeanwhile(lostAgain);
    await expect.poll(() => away.told(), PATIENT).toEqual([`joined ${ROOM} ann`, `joined ${ROOM} ann`]);
    expect(await here.told()).toEqual([`left ${ROOM} ann`]);
  });

  it.each([
    ['', async () => {}],
    [' a second time', lostAgain],
  ])('no node would be told of the join if the leave were not kept%s', async (_when, lose) => {
    const { away, here } = await leftMeanwhile(async (redis) => {
      await lose(redis);
      await redis.cli('DEL', 'realtime@0:gone');
    });
    await delay(500);
    expect(await away.told()).toEqual([`joined ${ROOM} ann`]);
    expect(await here.told()).toEqual([`left ${ROOM} ann`]);
  });
});

describe('When Redis comes back with older data, in which a user is who had left since', () => {
  /** The node of the user stays away until it is let through. */
  async function leftSince(): Promise<Scene> {
    const redis = await startRedis();
    const way = await startTcpProxy(redis.port);
    const start = async (id: string, port: number) => {
      const node = await PresenceNode.start(id, { url: `redis://127.0.0.1:${port}`, ...LONG }, [ROOM]);
      onTestFinished(() => node.close(0));
      return node;
    };
    const [away, here] = [await start('away', way.port), await start('here', redis.port)];
    await away.set([ROOM, 'ann'], [ROOM, 'bob']);
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:told:away.1'), PATIENT).toBe('0');
    await redis.cli('SAVE');
    await away.remove([ROOM, 'ann']);
    expect(await away.told()).toEqual([`joined ${ROOM} ann`, `joined ${ROOM} bob`, `left ${ROOM} ann`]);
    way.refuse();
    await redis.kill();
    await redis.restart();
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:old'), PATIENT).toBe('1');
    return { redis, way, away, here };
  }

  const isOver = ({ redis }: Scene) => expect.poll(() => redis.cli('EXISTS', 'realtime@0:old'), PATIENT).toBe('0');
  const told = async ({ away, here }: Scene) =>
    [...(await away.told()).slice(3), ...(await here.told())].filter((text) => text.endsWith('ann'));

  it('nobody is told of a second leave, and the user is listed until the node is back', async () => {
    const scene = await leftSince();
    await expect.poll(() => scene.here.read(ROOM).catch(() => []), PATIENT).toEqual(['ann:1', 'bob:1']);
    scene.way.pass();
    await expect.poll(() => scene.here.read(ROOM).catch(() => []), PATIENT).toEqual(['bob:1']);
    await isOver(scene);
    expect(await told(scene)).toEqual([]);
    expect(await scene.away.told()).toHaveLength(3);
  });

  it('the join at another node is told when that node is back, and no leave', async () => {
    const scene = await leftSince();
    await scene.here.set([ROOM, 'ann']);
    scene.way.pass();
    await isOver(scene);
    await expect.poll(() => told(scene), PATIENT).toEqual([`joined ${ROOM} ann`]);
    expect(await scene.here.read(ROOM)).toEqual(['ann:1', 'bob:1']);
  });

  it('the join at the same node is told, too', async () => {
    const scene = await leftSince();
    void scene.away.set([ROOM, 'ann']);
    scene.way.pass();
    await expect.poll(() => told(scene), PATIENT).toEqual([`joined ${ROOM} ann`]);
    await isOver(scene);
    expect(await scene.here.read(ROOM)).toEqual(['ann:1', 'bob:1']);
    expect(await told(scene)).toEqual([`joined ${ROOM} ann`]);
  });

  it('the leave would be told again if the node did not say that it is back', async () => {
    const silenced = vi.spyOn(PresenceOutbox.prototype, 'isRestored', 'get').mockReturnValue(false);
    onTestFinished(() => silenced.mockRestore());
    const scene = await leftSince();
    scene.way.pass();
    await isOver(scene);
    await expect.poll(() => told(scene), PATIENT).toEqual([`left ${ROOM} ann`]);
  });

  it('nobody would be told of the join at another node if it were not kept until then', async () => {
    const scene = await leftSince();
    await scene.here.set([ROOM, 'ann']);
    await scene.redis.cli('DEL', 'realtime@0:owed');
    scene.way.pass();
    await isOver(scene);
    expect(await told(scene)).toEqual([]);
  });

  it('nobody is told of a join at another node of a user who has not left', async () => {
    const scene = await leftSince();
    await scene.here.set([ROOM, 'bob']);
    scene.way.pass();
    await isOver(scene);
    expect(await scene.here.read(ROOM)).toEqual(['bob:2']);
    expect(await scene.away.told()).toHaveLength(3);
    expect(await scene.here.told()).toEqual([]);
  });
});

describe('When Redis comes back with older data, from when a user had left whose leave was kept', () => {
  /** Redis is emptied, the user leaves and comes back, and Redis has saved in between. @returns what the node is told */
  async function backSince() {
    const redis = await startRedis();
    const node = await PresenceNode.start('node', { url: redis.url, ...LONG }, [ROOM]);
    onTestFinished(() => node.close(0));
    await node.set([ROOM, 'ann']);
    await redis.cli('FLUSHALL');
    const leave = `${ROOM}\n"ann"`;
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:held:node.2', leave), PATIENT).toBe('1');
    await node.remove([ROOM, 'ann']);
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:gone', leave), PATIENT).toBe('1');
    await redis.cli('SAVE');
    await node.set([ROOM, 'ann']);
    await expect.poll(() => node.told(), PATIENT).toHaveLength(3);
    await redis.kill();
    await redis.restart();
    await expect.poll(() => redis.cli('HEXISTS', 'realtime@0:held:node.3', leave), PATIENT).toBe('1');
    expect(await node.read(ROOM)).toEqual(['ann:1']);
    return node.told();
  }

  it('no join is told of a user who has come back since', async () => {
    expect(await backSince()).toEqual([`joined ${ROOM} ann`, `left ${ROOM} ann`, `joined ${ROOM} ann`]);
  });
});

describe('When Redis comes back with older data, and a change was stored whose reply had not arrived', () => {
  it.each([
    ['a join', 'joined', false],
    ['a leave', 'left', true],
  ])('%s is told once', async (_what, kind, isThere) => {
    const redis = await startRedis();
    const way = await startTcpProxy(redis.port);
    const start = async (id: string, port: number) => {
      const node = await PresenceNode.start(id, { url: `redis://127.0.0.1:${port}`, ...LONG }, [ROOM]);
      onTestFinished(() => node.close(0));
      return node;
    };
    const [away, here] = [await start('away', way.port), await start('here', redis.port)];
    if (isThere) await away.set([ROOM, 'ann']);
    const before = [...(await away.told())];
    const acted = () => redis.cli('EXISTS', 'realtime@0:told:away.1');
    await expect.poll(acted, PATIENT).toBe('0');
    way.stall(['replies']);
    void (isThere ? away.remove([ROOM, 'ann']) : away.set([ROOM, 'ann']));
    await expect.poll(acted, PATIENT).toBe('1');
    await redis.cli('SAVE');
    way.refuse();
    await redis.kill();
    await redis.restart();
    way.pass();
    const told = async () => [...(await away.told()).slice(before.length), ...(await here.told())];
    await expect.poll(told, PATIENT).toEqual([`${kind} ${ROOM} ann`]);
    await expect.poll(() => redis.cli('EXISTS', 'realtime@0:old'), PATIENT).toBe('0');
    expect(await here.read(ROOM)).toEqual(isThere ? [] : ['ann:1']);
    expect(await told()).toEqual([`${kind} ${ROOM} ann`]);
  });
});

/** Redis comes back with data from after many changes, and then somebody leaves, as a watcher has to see. */
async function seenAfterMany(meddle: (redis: RedisServer) => Promise<unknown> = async () => {}): Promise<Watcher> {
  const redis = await startRedis();
  const app = await startPresenceApp(redis, OVER);
  const enter = async (userId: string) => {
    const guest = await app.connectAs(userId);
    await guest.request({ action: 'subscribe', topic: HALL });
    return guest;
  };
  // The first to enter: news about others who are in its answer already cannot be under way.
  const watcher = await Watcher.join(app, 'watcher');
  const leaver = await enter('leaver');
  const changer = await enter('changer');
  for (let time = 0; time < 30; time++) {
    await changer.request({ action: 'unsubscribe', topic: HALL });
    await changer.request({ action: 'subscribe', topic: HALL });
  }
  await redis.cli('SAVE');
  const epoch = () => redis.cli('HGET', 'realtime@0:presence', 'epoch');
  const before = await epoch();
  const compared = vi.spyOn(ToldPicture.prototype, 'compare');
  onTestFinished(() => compared.mockRestore());
  await redis.kill();
  await redis.restart();
  await expect.poll(epoch, PATIENT).not.toBe(before);
  const now = await epoch();
  // The watcher's node has read the room, and the number of its changes: what is done to that comes afterwards.
  const hasRead = () => compared.mock.calls.some(([{ at, isWhole }]) => isWhole && at?.epoch === now);
  await expect.poll(hasRead, PATIENT).toBe(true);
  await meddle(redis);
  await leaver.request({ action: 'unsubscribe', topic: HALL });
  // What is published after the leave arrives behind it.
  await expect.poll(() => redis.cli('HGET', 'realtime@0:presence', 'changes'), PATIENT).not.toBe('0');
  await app.realtime.publish(HALL, { type: 'after' });
  return watcher;
}

describe('When Redis comes back with data from after many changes', () => {
  it('watchers are told the next one', async () => {
    const watcher = await seenAfterMany();
    await expect.poll(() => watcher.picture(), PATIENT).toEqual(['changer', 'watcher']);
    expect(watcher.odd).toEqual([]);
  });

  it('watchers would not be told it if its number were lower than those of before', async () => {
    const watcher = await seenAfterMany(async (redis) => {
      // A check would find it out, seconds later.
      const looked = vi.spyOn(ToldPicture.prototype, 'look').mockReturnValue();
      onTestFinished(() => looked.mockRestore());
      await redis.cli('HSET', 'realtime@0:presence', 'changes', 0);
    });
    await watcher.guest.settled();
    expect(watcher.guest.pending.map(({ type }) => type)).toContain('after');
    expect(await watcher.picture()).toEqual(['changer', 'leaver', 'watcher']);
  });
});
