import { SubscriptionState } from 'centrifuge';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ToldPicture } from '../../../lib/core/presence/told-picture.js';
import { PresenceStore } from '../../../lib/ports/presence-store.js';
import { connected, sdkFor } from '../../helpers/sdk.js';
import { testToken } from '../../../lib/testing/index.js';
import { startRedis } from '../../helpers/redis-server.js';
import { ROOM, startPresenceApp, usersOf, Watcher, type PresenceApp } from './presence-scene.js';

const PATIENT = { timeout: 20_000, interval: 20 };

/** Two nodes over one Redis; the first has the watchers. @param isBlind true for the twin */
async function pair({ isBlind = false, coalesceMs = 0 } = {}) {
  const redis = await startRedis();
  const options = { centrifuge: true, presence: { online: true, graceMs: 1_000, coalesceMs } };
  const here = await startPresenceApp(redis, {}, { options }, isBlind);
  const there = await startPresenceApp(redis, {}, { options });
  return { redis, here, there };
}

async function enter(app: PresenceApp, userId: string, payload?: unknown) {
  const guest = await app.connectAs(userId);
  await guest.request({ action: 'subscribe', topic: ROOM, payload });
  return guest;
}

/** Waits until the node is attached again. @returns how long it then takes until the picture is that of `usersIn()`, in milliseconds */
async function repaired(app: PresenceApp, watcher: Watcher): Promise<number> {
  await expect.poll(() => app.realtime.isAttached, PATIENT).toBe(true);
  const since = performance.now();
  await expect.poll(async () => (await watcher.picture()).join() === (await usersOf(app)).join(), PATIENT).toBe(true);
  return performance.now() - since;
}

describe('While a node’s way to Redis is cut, users come, go and change elsewhere; afterwards', () => {
  it.each([
    ['at once', 0],
    ['coalesced', 250],
  ])(
    'watchers of both protocols are told the difference once and in order, %s, within 5 s',
    async (_how, coalesceMs) => {
      const { here, there } = await pair({ coalesceMs });
      const [leaver, changer] = [await enter(there, 'leaver'), await enter(there, 'changer', 'old')];
      const goer = await here.connectAs('goer');
      const watcher = await Watcher.join(here, 'watcher');
      const client = await connected(sdkFor(here, { token: testToken('sdk') }));
      const subscription = client.newSubscription(ROOM, { joinLeave: true });
      const sdk = new Map<string, unknown>([
        ['leaver', undefined],
        ['changer', 'old'],
        ['watcher', undefined],
      ]);
      subscription.on('join', ({ info }) => void sdk.set(info.user, info.connInfo));
      subscription.on('leave', ({ info }) => void sdk.delete(info.user));
      subscription.subscribe();
      await expect.poll(() => sdk.has('sdk')).toBe(true);
      await expect.poll(() => watcher.picture(), PATIENT).toEqual(['changer', 'leaver', 'sdk', 'watcher']);
      const before = watcher.news.length;

      here.proxy.refuse();
      await expect.poll(() => here.realtime.isAttached, PATIENT).toBe(false);
      await leaver.request({ action: 'unsubscribe', topic: ROOM });
      await enter(there, 'comer');
      await changer.request({ action: 'subscribe', topic: ROOM, payload: 'new' });
      const passer = await enter(there, 'passer');
      await passer.request({ action: 'unsubscribe', topic: ROOM });
      await Promise.all([passer, goer].map((guest) => guest.close()));
      here.proxy.pass();

      expect(await repaired(here, watcher)).toBeLessThan(5_000);
      expect(await watcher.picture()).toEqual(['changer', 'comer', 'sdk', 'watcher']);
      expect(watcher.users.get('changer')).toBe('new');
      expect(watcher.news.slice(before)).toEqual(
        ['left leaver', 'joined comer', 'updated changer'].sort(byNews(watcher)),
      );
      expect(watcher.odd).toEqual([]);
      await expect.poll(() => [...sdk.keys()].sort()).toEqual(['changer', 'comer', 'sdk', 'watcher']);
      await expect.poll(() => sdk.get('changer')).toBe('new');
      expect(there.hooks.filter((text) => text.endsWith(' comer') || text.endsWith(' leaver'))).toEqual([
        'joined leaver',
        'left leaver',
        'joined comer',
      ]);
      expect(here.hooks.filter((text) => text.endsWith(' comer') || text.endsWith(' leaver'))).toEqual([]);
      const eventsOf = (...userIds: string[]) =>
        [...here.events, ...there.events].filter((text) => userIds.some((userId) => text.endsWith(` ${userId}`)));
      await expect
        .poll(() => eventsOf('goer', 'passer').sort(), PATIENT)
        .toEqual(['offline goer', 'offline passer', 'online goer', 'online passer']);
      expect(eventsOf('comer', 'leaver').sort()).toEqual(['online comer', 'online leaver']);
    },
  );

  it('would be ghosts and missing for ever if the node did not compare', async () => {
    const { here, there } = await pair({ isBlind: true });
    const leaver = await enter(there, 'leaver');
    const watcher = await Watcher.join(here, 'watcher');
    here.proxy.refuse();
    await expect.poll(() => here.realtime.isAttached, PATIENT).toBe(false);
    await leaver.request({ action: 'unsubscribe', topic: ROOM });
    await enter(there, 'comer');
    // Until both were reported, and missed.
    await expect.poll(() => usersOf(there), PATIENT).toEqual(['comer', 'watcher']);
    here.proxy.pass();
    await expect.poll(() => here.realtime.isAttached, PATIENT).toBe(true);
    await delay(5_000);
    expect(await watcher.picture()).toEqual(['leaver', 'watcher']);
    expect(await usersOf(here)).toEqual(['comer', 'watcher']);
  });
});

describe('While Redis halts for 6 s', () => {
  it('watchers on all nodes end in what usersIn() tells, and nobody is told twice', async () => {
    const { redis, here, there } = await pair({ coalesceMs: 250 });
    const leaver = await enter(there, 'leaver');
    const watchers = [await Watcher.join(here, 'here'), await Watcher.join(there, 'there')];
    redis.pause();
    leaver.send({ action: 'unsubscribe', topic: ROOM });
    const comer = await here.connectAs('comer').catch(() => undefined);
    comer?.send({ action: 'subscribe', topic: ROOM, id: 1 });
    await delay(6_000);
    redis.resume();
    expect(await repaired(here, watchers[0]!)).toBeLessThan(5_000);
    expect(await repaired(there, watchers[1]!)).toBeLessThan(5_000);
    for (const { odd } of watchers) expect(odd).toEqual([]);
  });
});

describe('News that are lost without a break of the connection', () => {
  async function leftUnnoticed() {
    const { redis, here, there } = await pair();
    const leaver = await enter(there, 'leaver');
    // Until all nodes had the time to report, pictures are read again and again.
    await redis.cli('HSET', 'realtime@0:presence', 'whole', 0);
    const watcher = await Watcher.join(here, 'watcher');
    // The effects of a leave, without its publication.
    const entry = await redis.cli('HGET', `realtime@0:present:${ROOM}`, '');
    const [connections, sequence] = entry.split(' ').map(Number);
    await redis.cli('HDEL', `realtime@0:present:${ROOM}`, '"leaver"');
    await redis.cli('HSET', `realtime@0:present:${ROOM}`, '', `${connections! - 1} ${sequence! + 1}`);
    await redis.cli('HINCRBY', 'realtime@0:presence', 'changes', 1);
    onTestFinished(() => leaver.close());
    return { here, watcher };
  }

  it('are noticed by the numbers of the topic', async () => {
    const { watcher } = await leftUnnoticed();
    await expect.poll(() => watcher.picture(), PATIENT).toEqual(['watcher']);
    expect(watcher.news).toContain('left leaver');
  });

  it('would leave a ghost if the numbers were not compared', async () => {
    const looks = vi.spyOn(ToldPicture.prototype, 'look').mockImplementation(() => undefined);
    onTestFinished(() => looks.mockRestore());
    const { here, watcher } = await leftUnnoticed();
    const before = looks.mock.calls.length;
    // The second look is the one that takes being behind for a gap.
    await expect.poll(() => looks.mock.calls.length, PATIENT).toBeGreaterThanOrEqual(before + 2);
    expect([await watcher.picture(), await usersOf(here)]).toEqual([['leaver', 'watcher'], ['watcher']]);
  });
});

describe('In a topic of 10,000 members and more', () => {
  /** @param isBlind true for the twin */
  async function crowd(isBlind = false) {
    const { here, there } = await pair({ isBlind });
    const store = there.app.get(PresenceStore, { strict: false });
    const set = (from: number, to: number) =>
      Promise.all(
        Array.from({ length: to - from }, async (_, i) => store.set(ROOM, { userId: `u${from + i}`, connections: 1 })),
      );
    const remove = (count: number) =>
      Promise.all(Array.from({ length: count }, async (_, i) => store.remove(ROOM, `u${i}`)));
    const gap = async (change: () => Promise<unknown>) => {
      here.proxy.refuse();
      await expect.poll(() => here.realtime.isAttached, PATIENT).toBe(false);
      await change();
      here.proxy.pass();
      await expect.poll(() => here.realtime.isAttached, PATIENT).toBe(true);
    };
    return { here, set, remove, gap };
  }

  it('the difference is told up to the limit, and above it a reset, after which SDKs subscribe again', async () => {
    const { here, set, remove, gap } = await crowd();
    await set(0, 9_500);
    const watcher = await Watcher.join(here, 'watcher');
    const count = async () => (await watcher.picture(), watcher.users.size);
    // The answer lists a part only; the rest of the picture is what news tell.
    for (let i = 0; i < 9_500; i++) watcher.users.set(`u${i}`, undefined);
    await expect.poll(count).toBe(9_501);
    await gap(async () => {
      await set(9_500, 9_900);
      await remove(300);
    });
    await expect.poll(count).toBe(9_901 - 300);
    expect([watcher.odd, watcher.resets]).toEqual([[], 0]);
    const client = await connected(sdkFor(here, { token: testToken('sdk') }));
    const subscription = client.newSubscription(ROOM, { joinLeave: true });
    const asked: number[] = [];
    subscription.on('subscribing', ({ code }) => void asked.push(code));
    // On a busy machine counting may take longer than a command may: a client tries again.
    const ask = () =>
      subscription.presenceStats().then(
        ({ numUsers }) => void asked.push(numUsers),
        async () => {
          await delay(200);
          if (subscription.state === SubscriptionState.Subscribed) await ask();
        },
      );
    subscription.on('subscribed', () => void ask());
    onTestFinished(() => subscription.unsubscribe());
    subscription.subscribe();
    await expect.poll(() => asked, PATIENT).toEqual([0, 9_602]);
    await gap(() => set(9_900, 10_900));
    await expect.poll(async () => (await watcher.picture(), watcher.resets), PATIENT).toBe(1);
    await expect.poll(() => asked, PATIENT).toEqual([0, 9_602, 2500, 10_602]);
  });

  it('nobody would be told to ask again if the node did not look for gaps', async () => {
    const { here, set, remove, gap } = await crowd(true);
    await set(0, 10_100);
    const watcher = await Watcher.join(here, 'watcher');
    await gap(() => remove(50));
    // What is told after the gap does arrive.
    let last = 20_000;
    const isTold = async () =>
      (await set(last, ++last), await watcher.picture()).some((userId) => /^u\d{5}$/.test(userId));
    await expect.poll(isTold, PATIENT).toBe(true);
    await delay(1_000);
    await watcher.picture();
    expect([watcher.resets, watcher.news.filter((text) => text.startsWith('left'))]).toEqual([0, []]);
  });
});

/** Of one difference, leaves come first; otherwise the order is that in which they were told. */
function byNews(watcher: Watcher) {
  return (a: string, b: string) => watcher.news.indexOf(a) - watcher.news.indexOf(b);
}
