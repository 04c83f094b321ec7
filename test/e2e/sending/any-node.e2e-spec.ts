import { all, connection, role, topic, user, type DeliveryReport, type RealtimeService } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { typesReceivedBy } from '../../helpers/realtime-app.js';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

const NEWS = { type: 'news' };

const stage = Stage.shared();
/** Two devices of one administrator, and another user: one on each node if there are three. */
let phone: StageGuest, laptop: StageGuest, bob: StageGuest;

beforeEach(async () => {
  phone = await stage.connectAs('ann', { roles: ['admin', 'staff'], email: 'ann@example.com' });
  laptop = await stage.connectAs('ann', { roles: ['admin'] });
  bob = await stage.connectAs('bob', { roles: ['staff'], permissions: ['write'] });
  await stage.subscribe(phone, 'feed');
  await stage.subscribe(bob, 'feed');
});

/** The same call on every node, one after the other. @returns what each node answers */
async function onEachNode<T>(call: (realtime: RealtimeService, index: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (const [index, { realtime }] of stage.nodes.entries()) answers.push(await call(realtime, index));
  return answers;
}

describe('whichever node it is sent from, a message', () => {
  type Send = (realtime: RealtimeService, options?: { report: boolean }) => Promise<DeliveryReport>;
  const sends: [what: string, send: Send, addressed: () => StageGuest[]][] = [
    ['to a user', (realtime, options) => realtime.sendToUser('ann', NEWS, options), () => [phone, laptop]],
    ['to a role', (realtime, options) => realtime.sendToRole('staff', NEWS, options), () => [phone, bob]],
    ['to a connection', (realtime, options) => realtime.sendToConnection(laptop.id, NEWS, options), () => [laptop]],
    ['to everybody', (realtime, options) => realtime.broadcast(NEWS, options), () => [phone, laptop, bob]],
    ['to a topic', (realtime, options) => realtime.publish('feed', NEWS, options), () => [phone, bob]],
    ['to nobody', (realtime, options) => realtime.sendToUser('zoe', NEWS, options), () => []],
    [
      'to several addresses',
      (realtime, options) => realtime.to(user('ann'), role('admin'), topic('feed')).send(NEWS, options),
      () => [phone, laptop, bob],
    ],
    [
      'with exceptions on several nodes',
      (realtime, options) => realtime.to(all()).except(connection(phone.id), user('bob')).send(NEWS, options),
      () => [laptop],
    ],
  ];

  it.each(sends)('%s arrives once at the same connections, with the same report', async (_what, send, addressed) => {
    expect(await onEachNode((realtime) => send(realtime))).toEqual(stage.nodes.map(() => reportOf(...addressed())));
    for (const guest of [phone, laptop, bob]) {
      const copies = addressed().includes(guest) ? stage.nodes.map(() => NEWS.type) : [];
      expect(await typesReceivedBy(guest)).toEqual(copies);
    }
  });

  it.each(sends)('%s arrives just as well when no report is asked for', async (_what, send, addressed) => {
    await onEachNode((realtime) => send(realtime, { report: false }));
    for (const guest of addressed()) for (const _ of stage.nodes) await guest.next(NEWS.type);
    // Nothing comes twice, and nothing to others.
    await onEachNode((realtime) => realtime.broadcast({ type: 'fence' }));
    for (const guest of [phone, laptop, bob]) {
      expect(await typesReceivedBy(guest)).toEqual(stage.nodes.map(() => 'fence'));
    }
  });
});

describe('whichever node is asked, a connection of any node', () => {
  it('is subscribed and unsubscribed', async () => {
    for (const guest of [phone, laptop, bob]) {
      const answers = await onEachNode(async (realtime, index) => [
        await realtime.subscribe(guest.id, `topic-${index}`),
        await realtime.subscribe(guest.id, `topic-${index}`),
        await realtime.unsubscribe(guest.id, `topic-${index}`),
        await realtime.unsubscribe(guest.id, `topic-${index}`),
      ]);
      expect(answers).toEqual(stage.nodes.map(() => [true, false, true, false]));
    }
  });

  it('is disconnected, and told so', async () => {
    await onEachNode(async (realtime) => {
      const guests = [];
      while (guests.length < stage.nodes.length) guests.push(await stage.connectAs('cleo'));
      expect(await realtime.disconnect(user('cleo'), { reason: 'enough' })).toEqual(reportOf(...guests));
      for (const guest of guests) expect(await guest.nextClose()).toEqual({ code: 3503, reason: 'enough' });
    });
  });

  it('is found among those of its user, oldest first', async () => {
    const [first, ...others] = await onEachNode((realtime) => realtime.connectionsOf('ann'));
    expect(new Set(first!.map(({ id }) => id))).toEqual(new Set([phone.id, laptop.id]));
    const [older, younger] = first!;
    expect(older!.createdAt.getTime()).toBeLessThanOrEqual(younger!.createdAt.getTime());
    // Of the same millisecond, every node has the same order.
    for (const other of others) expect(other).toEqual(first);
  });

  it('is the same snapshot', async () => {
    for (const connectionOf of await onEachNode((realtime) => realtime.connection(phone.id))) {
      expect(connectionOf).toEqual({
        id: phone.id,
        userId: 'ann',
        roles: new Set(['admin', 'staff']),
        permissions: new Set(),
        metadata: { email: 'ann@example.com' },
        createdAt: expect.any(Date),
        expiresAt: expect.any(Date),
      });
    }
    const [first, ...others] = await onEachNode((realtime) => realtime.connection(bob.id));
    expect(first!.permissions).toEqual(new Set(['write']));
    for (const other of others) expect(other).toEqual(first);
  });

  it('is on its topics, and among their subscribers', async () => {
    expect(await onEachNode((realtime) => realtime.topicsOf(bob.id))).toEqual(stage.nodes.map(() => ['feed']));
    const subscribers = await onEachNode((realtime) => realtime.subscribersOf('feed'));
    for (const each of subscribers) expect(new Set(each.map(({ id }) => id))).toEqual(new Set([phone.id, bob.id]));
  });

  it('counts once, and so do its user and its topics', async () => {
    for (const { realtime } of stage.nodes) {
      await expect.poll(() => realtime.counts()).toEqual({ connections: 3, users: 2, topics: 1, subscriptions: 2 });
    }
  });
});

describe('the list of nodes', () => {
  /** The id that the connections of each node carry. */
  const nodeIds = () => [...new Set([phone, laptop, bob].map(({ id }) => id.split('.')[0]!))].sort();

  it('is the same on each of them', async () => {
    for (const { realtime } of stage.nodes) {
      await expect.poll(async () => (await realtime.nodes()).map(({ id }) => id).sort()).toEqual(nodeIds());
    }
  });

  it('says how much each of them holds', async () => {
    const share = 3 / stage.nodes.length;
    for (const { realtime } of stage.nodes) {
      await expect
        .poll(async () => (await realtime.nodes()).map(({ connections, isAttached }) => ({ connections, isAttached })))
        .toEqual(stage.nodes.map(() => ({ connections: share, isAttached: true })));
    }
  });

  it('says since when each of them is there', async () => {
    for (const { startedAt } of await stage.realtime.nodes()) {
      expect(Math.abs(startedAt.getTime() - Date.now())).toBeLessThan(60_000);
    }
  });

  it('loses a node that is closed, at once', async () => {
    const [first, ...others] = (await Stage.set()).nodes;
    await first!.close();
    for (const { realtime } of others) {
      await expect.poll(async () => (await realtime.nodes()).length, { timeout: 3_000 }).toBe(others.length);
    }
  });

  it('has nodes that are attached', async () => {
    expect(await onEachNode(async (realtime) => realtime.isAttached)).toEqual(stage.nodes.map(() => true));
  });
});
