import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresenceCalls } from '../../../lib/adapters/redis/presence/presence-calls.js';
import { PresencePartition } from '../../../lib/adapters/redis/presence/presence-partition.js';
import { NodePresence } from '../../../lib/core/presence/node-presence.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRedis } from '../../helpers/redis-server.js';
import { ROOM, startPresenceApp, usersOf, Watcher } from './presence-scene.js';

const PATIENT = { timeout: 20_000, interval: 20 };

describe('Subscribers that ask who is there at once, far from Redis', () => {
  /** @returns how many are missing in the answer to themselves */
  async function missing(coalesceMs = 0): Promise<number> {
    const options = { presence: { graceMs: 1_000, coalesceMs } };
    const app = await startPresenceApp(await startRedis(), {}, { options });
    const first = await app.connectAs('first');
    await first.request({ action: 'subscribe', topic: ROOM });
    app.proxy.delay(100);
    const guests = await Promise.all(Array.from({ length: 20 }, (_, n) => app.connectAs(`guest-${n}`)));
    const answers = [];
    for (const [n, guest] of guests.entries()) {
      guest.send({ action: 'subscribe', id: 's', topic: ROOM });
      answers.push(guest.request({ action: 'presence', topic: ROOM }).then(({ payload }) => [n, payload] as const));
      // Each one comes while the report of an earlier one is under way.
      await guest.next(({ id }) => id === 's');
    }
    const found = await Promise.all(answers);
    return found.filter(([n, { users }]) => !users.some(({ userId }: { userId: string }) => userId === `guest-${n}`))
      .length;
  }

  it.each([0, 250])('all find themselves (coalescing changes for %i ms)', async (coalesceMs) => {
    expect(await missing(coalesceMs)).toBe(0);
  });

  it('would miss themselves if reads did not wait for what the node has reported', async () => {
    const flushed = vi.spyOn(PresencePartition.prototype, 'flushed').mockResolvedValue();
    onTestFinished(() => flushed.mockRestore());
    expect(await missing()).toBeGreaterThan(0);
  });
});

describe('With no limit to the members that are listed', () => {
  const unlimited = { options: { limits: { maxPresenceUsers: Infinity } } };

  it('a topic is read', async () => {
    const app = await startPresenceApp(await startRedis(), {}, unlimited);
    await (await app.connectAs('ann')).request({ action: 'subscribe', topic: ROOM });
    expect(await usersOf(app)).toEqual(['ann']);
  });

  it('no topic could be read if the limit went to Redis as it is', async () => {
    collectLogs();
    const { page } = PresenceCalls.prototype;
    const paging = vi.spyOn(PresenceCalls.prototype, 'page').mockImplementation(function (
      this: PresenceCalls,
      topic,
      cursor,
    ) {
      return page.call(this, topic, cursor, Infinity);
    });
    onTestFinished(() => paging.mockRestore());
    const app = await startPresenceApp(await startRedis(), {}, unlimited);
    await (await app.connectAs('ann')).request({ action: 'subscribe', topic: ROOM });
    await expect(usersOf(app)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});

describe('An info that the application has set', () => {
  it('gives way to that of the connection when Redis loses its data, and watchers are told', async () => {
    const redis = await startRedis();
    const app = await startPresenceApp(redis, { leaseRefreshMs: 200, leaseTtlMs: 1_000 });
    const watcher = await Watcher.join(app, 'watcher');
    await (await app.connectAs('ann')).request({ action: 'subscribe', topic: ROOM });
    const seen = async () => (await watcher.picture(), watcher.users.get('ann'));
    await app.realtime.updatePresence(ROOM, 'ann', 'away');
    await expect.poll(seen, PATIENT).toBe('away');
    await redis.cli('FLUSHALL');
    await expect.poll(seen, PATIENT).toEqual({ name: 'ann' });
    const { users } = await app.realtime.usersIn(ROOM);
    expect(users.find(({ userId }) => userId === 'ann')?.info).toEqual({ name: 'ann' });
  });
});

describe('While the phone of a user is away within its grace period', () => {
  /** The laptop leaves the topic meanwhile, then the phone is back. @returns what a watcher was told of the user */
  async function laptopLeaves(isOnOtherNode: boolean): Promise<string[]> {
    const redis = await startRedis();
    const patient = { options: { presence: { graceMs: 60_000, coalesceMs: 0 } } };
    const here = await startPresenceApp(redis, {}, patient);
    const there = isOnOtherNode ? await startPresenceApp(redis, {}, patient) : here;
    const watcher = await Watcher.join(here, 'watcher');
    const enter = { action: 'subscribe', topic: ROOM };
    const phone = await there.connectAs('ann');
    await phone.request(enter);
    const laptop = await here.connectAs('ann');
    await laptop.request(enter);
    const dropped = new Promise<void>((resolve) => {
      there.realtime.events$.subscribe(({ type }) => type === 'disconnected' && resolve());
    });
    phone.socket.terminate();
    await dropped;
    // What is told of another user comes behind what is told of this one.
    const allTold = async (other: string) => {
      await (await there.connectAs(other)).request(enter);
      await (await here.connectAs(other)).request(enter);
      await expect.poll(async () => (await watcher.picture()).includes(other), PATIENT).toBe(true);
    };
    await laptop.request({ action: 'unsubscribe', topic: ROOM });
    await allTold('between');
    await (await there.connectAs('ann')).request(enter);
    await allTold('last');
    return watcher.news.filter((each) => each.endsWith(' ann'));
  }

  it.each([false, true])(
    'the laptop leaves the topic, and nobody is told (on another node: %s)',
    async (isElsewhere) => {
      expect(await laptopLeaves(isElsewhere)).toEqual(['joined ann']);
    },
  );

  it('the user would leave and join if the grace period ended with another connection', async () => {
    const drop = vi.spyOn(NodePresence.prototype, 'drop').mockImplementation(function (
      this: NodePresence,
      topic,
      userId,
      id,
    ) {
      return this.leave(topic, userId, id);
    });
    onTestFinished(() => drop.mockRestore());
    expect(await laptopLeaves(false)).toEqual(['joined ann', 'left ann', 'joined ann']);
  });
});
