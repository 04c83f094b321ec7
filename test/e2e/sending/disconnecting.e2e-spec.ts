import { all, connection, role, topic, user, type Address, type RealtimeEvent } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

const stage = Stage.shared();
let phone: StageGuest, laptop: StageGuest, bob: StageGuest;

beforeEach(async () => {
  phone = await stage.connectAs('ann', { roles: ['admin'] });
  laptop = await stage.connectAs('ann');
  bob = await stage.connectAs('bob', { roles: ['admin'] });
  await stage.subscribe(laptop, 'feed');
  await stage.subscribe(bob, 'feed');
});

describe('disconnecting', () => {
  const cases: [string, () => Address, () => StageGuest[]][] = [
    ['a user', () => user('ann'), () => [phone, laptop]],
    ['a role', () => role('admin'), () => [phone, bob]],
    ['a connection', () => connection(laptop.id), () => [laptop]],
    ['a topic', () => topic('feed'), () => [laptop, bob]],
    ['everybody', () => all(), () => [phone, laptop, bob]],
  ];

  it.each(cases)('%s closes the sockets that are addressed', async (_what, address, addressed) => {
    await stage.realtime.disconnect(address());
    const closes = await Promise.all(addressed().map((guest) => guest.nextClose()));
    for (const close of closes) expect(close).toEqual({ code: 3503, reason: 'disconnected by the application' });
  });

  it.each(cases)('%s leaves all other sockets open', async (_what, address, addressed) => {
    await stage.realtime.disconnect(address());
    const others = [phone, laptop, bob].filter((guest) => !addressed().includes(guest));
    for (const other of others) await expect(other.settled()).resolves.toBeUndefined();
    await expect.poll(() => stage.realtime.counts()).toMatchObject({ connections: others.length });
  });

  it.each(cases)('%s is reported with the number of connections', async (_what, address, addressed) => {
    expect(await stage.realtime.disconnect(address())).toEqual(reportOf(...addressed()));
  });

  it('tells clients that may come back so by its code', async () => {
    await stage.realtime.disconnect(user('bob'), { reconnect: true });
    expect(await bob.nextClose()).toEqual({ code: 3000, reason: 'disconnected by the application' });
  });

  it('tells the reason', async () => {
    await stage.realtime.disconnect(user('bob'), { reason: 'your plan has ended' });
    expect(await bob.nextClose()).toEqual({ code: 3503, reason: 'your plan has ended' });
  });

  it.each(['x'.repeat(123), `${'ü'.repeat(61)}x`])('takes a reason of 123 bytes: %s', async (reason) => {
    await stage.realtime.disconnect(user('bob'), { reason });
    expect(await bob.nextClose()).toEqual({ code: 3503, reason });
  });

  it('lets arrive what was sent before', async () => {
    await stage.realtime.sendToUser('bob', { type: 'farewell' });
    await stage.realtime.disconnect(user('bob'));
    expect(await bob.next('farewell')).toMatchObject({ type: 'farewell' });
  });

  it('lets nothing arrive that is sent afterwards', async () => {
    await stage.realtime.disconnect(user('bob'));
    await stage.realtime.broadcast({ type: 'too late' });
    await bob.nextClose();
    expect(bob.pending.map(({ type }) => type)).not.toContain('too late');
  });

  it('nobody is no error', async () => {
    expect(await stage.realtime.disconnect(user('zoe'))).toEqual({ recipients: 0, nodes: 0, complete: true });
  });

  it('twice ends a connection once', async () => {
    const reports = [await stage.realtime.disconnect(user('bob')), await stage.realtime.disconnect(user('bob'))];
    expect(reports).toMatchObject([{ recipients: 1 }, { recipients: 0 }]);
  });
});

describe('the counts', () => {
  it('tell how many connections, users, topics and subscriptions there are', async () => {
    await stage.subscribe(bob, 'more');
    await expect.poll(() => stage.realtime.counts()).toEqual({ connections: 3, users: 2, topics: 2, subscriptions: 3 });
  });

  it('are zero once everybody is disconnected', async () => {
    await stage.realtime.disconnect(all());
    await expect.poll(() => stage.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });

  it('are zero once everybody has gone', async () => {
    const allGone = new Promise<void>((resolve) => {
      let left = 3;
      stage.events$.subscribe(({ type }) => {
        if (type === 'disconnected' && --left === 0) resolve();
      });
    });
    await Promise.all([phone, laptop, bob].map((guest) => guest.close()));
    await allGone;
    await expect.poll(() => stage.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });
});

describe('a lookup', () => {
  it('finds the connections of a user, oldest first', async () => {
    // Ages are told apart by the millisecond; this one is younger than both.
    const created = Date.now();
    await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(created);
    const tablet = await stage.connectAs('ann');
    const connections = await stage.realtime.connectionsOf('ann');
    expect(new Set(connections.map(({ id }) => id))).toEqual(new Set([phone.id, laptop.id, tablet.id]));
    expect(connections.at(-1)!.id).toBe(tablet.id);
    const ages = connections.map(({ createdAt }) => createdAt.getTime());
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  });

  it('finds a connection as a snapshot', async () => {
    expect(await stage.realtime.connection(phone.id)).toEqual({
      id: phone.id,
      userId: 'ann',
      roles: new Set(['admin']),
      permissions: new Set(),
      metadata: {},
      createdAt: expect.any(Date),
      expiresAt: expect.any(Date),
    });
  });

  it('finds the topics of a connection', async () => {
    await stage.subscribe(bob, 'more');
    expect(await stage.realtime.topicsOf(bob.id)).toEqual(['feed', 'more']);
  });

  it('finds the subscribers of a topic', async () => {
    const subscribers = await stage.realtime.subscribersOf('feed');
    expect(subscribers.map(({ userId }) => userId).sort()).toEqual(['ann', 'bob']);
  });

  it('finds nothing of what is not there', async () => {
    const { realtime } = stage;
    expect([
      await realtime.connectionsOf('zoe'),
      await realtime.connection('no.body'),
      await realtime.topicsOf('no.body'),
      await realtime.subscribersOf('elsewhere'),
    ]).toEqual([[], undefined, [], []]);
  });

  it('gives lists that stay as they are', async () => {
    const before = await stage.realtime.connectionsOf('ann');
    await stage.realtime.disconnect(user('ann'));
    expect(before).toHaveLength(2);
  });
});

describe('events$', () => {
  /** Collects what happens from now on, in short. */
  function record(): string[] {
    const seen: string[] = [];
    stage.events$.subscribe((event: RealtimeEvent) => {
      if (event.type === 'online' || event.type === 'offline') return;
      const { userId } = event.connection;
      if (event.type === 'disconnected') seen.push(`${userId} disconnected ${event.code} ${event.reason}`);
      else if (event.type === 'connected') seen.push(`${userId} connected`);
      else seen.push(`${userId} ${event.type} ${event.topic}`);
    });
    return seen;
  }

  it('tells the life of a connection in its order', async () => {
    const seen = record();
    const cleo = await stage.connectAs('cleo');
    await stage.subscribe(cleo, 'one');
    await stage.subscribe(cleo, 'two');
    await stage.realtime.unsubscribe(cleo.id, 'one');
    await stage.realtime.disconnect(user('cleo'), { reason: 'enough' });
    await expect
      .poll(() => seen)
      .toEqual([
        'cleo connected',
        'cleo subscribed one',
        'cleo subscribed two',
        'cleo unsubscribed one',
        'cleo unsubscribed two',
        'cleo disconnected 3503 enough',
      ]);
  });

  it('tells the code and the reason that a client closed with', async () => {
    const seen = record();
    bob.socket.close(4001, 'logged out');
    await expect.poll(() => seen).toEqual(['bob unsubscribed feed', 'bob disconnected 4001 logged out']);
  });

  it('does not tell what changed nothing', async () => {
    const seen = record();
    await stage.realtime.subscribe(bob.id, 'feed');
    await stage.realtime.unsubscribe(bob.id, 'elsewhere');
    expect(seen).toEqual([]);
  });

  it('replays nothing', async () => {
    expect(record()).toEqual([]);
  });

  it('ends with the application', async () => {
    const own = await Stage.set();
    let ended = false;
    own.events$.subscribe({ complete: () => (ended = true) });
    await Promise.all(own.nodes.map((node) => node.close()));
    expect(ended).toBe(true);
  });
});
