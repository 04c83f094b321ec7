import { connection, role, topic, user, type Address } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { typesReceivedBy } from '../../helpers/realtime-app.js';
import { reportOf, Stage, type StageGuest } from '../../helpers/stage.js';

const NEWS = { type: 'news', payload: { n: 1 } };

const stage = Stage.shared();
/** Two devices of one administrator, and another user. */
let phone: StageGuest, laptop: StageGuest, bob: StageGuest;

beforeEach(async () => {
  phone = await stage.connectAs('ann', { roles: ['admin', 'staff'] });
  laptop = await stage.connectAs('ann', { roles: ['admin'] });
  bob = await stage.connectAs('bob', { roles: ['staff'] });
});

/** Returns the recipients of a message, with the number of copies. */
async function copies(): Promise<Record<string, number>> {
  const guests = { phone, laptop, bob };
  const entries = Object.entries(guests).map(async ([name, guest]) => {
    const types = await typesReceivedBy(guest);
    return [name, types.filter((type) => type === NEWS.type).length] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

describe('a message to one address', () => {
  it('arrives on every device of a user, and at nobody else', async () => {
    await stage.realtime.sendToUser('ann', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 0 });
  });

  it('arrives at everybody who has a role', async () => {
    await stage.realtime.sendToRole('staff', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 0, bob: 1 });
  });

  it('arrives at one connection', async () => {
    await stage.realtime.sendToConnection(laptop.id, NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 0 });
  });

  it('arrives at everybody', async () => {
    await stage.realtime.broadcast(NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 1 });
  });

  it('arrives at the subscribers of a topic', async () => {
    await stage.subscribe(phone, 'order:1');
    await stage.subscribe(bob, 'order:2');
    await stage.realtime.publish('order:1', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 0, bob: 0 });
  });

  it('does not confuse a user, a role, a connection and a topic of the same name', async () => {
    await stage.subscribe(laptop, 'bob');
    const decoys = [await stage.connectAs('zoe', { roles: ['bob'] }), await stage.connectAs(bob.id)];
    await stage.realtime.sendToUser('bob', NEWS);
    expect([await copies(), ...(await Promise.all(decoys.map(typesReceivedBy)))]).toEqual([
      { phone: 0, laptop: 0, bob: 1 },
      [],
      [],
    ]);
  });

  it('names the topic it was published to', async () => {
    await stage.subscribe(bob, 'order:1');
    await stage.realtime.publish('order:1', NEWS);
    expect(await bob.next()).toEqual({ ...NEWS, topic: 'order:1', timestamp: expect.any(String) });
  });

  it('names no topic when it was published to none', async () => {
    await stage.realtime.sendToUser('bob', NEWS);
    expect(await bob.next()).toEqual({ ...NEWS, timestamp: expect.any(String) });
  });

  it('does not arrive after the connection has unsubscribed', async () => {
    await stage.subscribe(bob, 'order:1');
    await bob.request({ action: 'unsubscribe', topic: 'order:1' });
    await stage.realtime.publish('order:1', NEWS);
    expect(await copies()).toMatchObject({ bob: 0 });
  });
});

describe('a message to several addresses', () => {
  it('arrives once at a connection that matches all of them', async () => {
    await stage.subscribe(phone, 'order:1');
    await stage.realtime.to(user('ann'), role('admin'), connection(phone.id), topic('order:1')).send(NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 0 });
  });

  it('arrives at everybody who matches one of them', async () => {
    await stage.realtime.to(user('bob'), connection(laptop.id)).send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 1 });
  });

  it('names no topic, for not everybody gets it because of one', async () => {
    await stage.subscribe(bob, 'order:1');
    await stage.realtime.to(user('ann'), topic('order:1')).send(NEWS);
    expect(await bob.next()).not.toHaveProperty('topic');
  });

  it('arrives at nobody when there is no address', async () => {
    await stage.realtime.to().send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 0, bob: 0 });
  });
});

describe('an exception', () => {
  const cases: [string, () => Address, object][] = [
    ['a user', () => user('ann'), { phone: 0, laptop: 0, bob: 1 }],
    ['a role', () => role('staff'), { phone: 0, laptop: 1, bob: 0 }],
    ['a connection', () => connection(laptop.id), { phone: 1, laptop: 0, bob: 1 }],
    ['a topic', () => topic('muted'), { phone: 1, laptop: 1, bob: 0 }],
    ['everybody', () => ({ kind: 'all' }), { phone: 0, laptop: 0, bob: 0 }],
    ['nobody that is there', () => user('zoe'), { phone: 1, laptop: 1, bob: 1 }],
  ];

  it.each(cases)('leaves out %s', async (_what, exception, expected) => {
    await stage.subscribe(bob, 'muted');
    await stage.realtime.to({ kind: 'all' }).except(exception()).send(NEWS);
    expect(await copies()).toEqual(expected);
  });

  it('adds to the exceptions before it', async () => {
    await stage.realtime.to({ kind: 'all' }).except(user('bob')).except(connection(phone.id)).send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 0 });
  });

  it('does not change the recipients it was made from', async () => {
    const everybody = stage.realtime.to({ kind: 'all' });
    everybody.except(user('bob'));
    await everybody.send(NEWS);
    expect(await copies()).toMatchObject({ bob: 1 });
  });

  it('leaves somebody out of the subscribers of a topic, whose name is still told', async () => {
    await stage.subscribe(phone, 'order:1');
    await stage.subscribe(bob, 'order:1');
    await stage.realtime.to(topic('order:1')).except(connection(phone.id)).send(NEWS);
    expect([await bob.next(), await typesReceivedBy(phone)]).toMatchObject([{ topic: 'order:1' }, []]);
  });
});

describe('a delivery report', () => {
  it('counts connections, not users', async () => {
    expect(await stage.realtime.sendToUser('ann', NEWS)).toEqual(reportOf(phone, laptop));
  });

  it('counts a connection once that matches several addresses', async () => {
    const report = await stage.realtime.to(user('ann'), role('admin'), role('staff')).send(NEWS);
    expect(report).toEqual(reportOf(phone, laptop, bob));
  });

  it('does not count who was left out', async () => {
    const report = await stage.realtime.to({ kind: 'all' }).except(user('ann')).send(NEWS);
    expect(report).toEqual(reportOf(bob));
  });

  it('knows only its own node when no answers are asked for, and is complete when there is no other', async () => {
    const own = [phone, laptop, bob].filter(({ node }) => node.realtime === stage.realtime);
    const report = await stage.realtime.broadcast(NEWS, { report: false });
    expect(report).toEqual({ ...reportOf(...own), complete: own.length === 3 });
  });

  const NOBODY = { recipients: 0, nodes: 0, complete: true };

  it.each([
    ['an unknown user', user('zoe')],
    ['an unknown role', role('owner')],
    ['a topic without subscribers', topic('order:9')],
    ['a user called like a property of objects', user('__proto__')],
  ])('says that %s has no connections', async (_what, address) => {
    expect(await stage.realtime.to(address).send(NEWS)).toEqual(NOBODY);
  });

  it.each(['nobody', 'no.body', '.', 'a.b.c', '..', 'a.', '.b', ' ', 'ann', 'x'.repeat(10_000), '\u0000', '💥.💥'])(
    'says that nobody has the connection id %j',
    async (id) => {
      expect(await stage.realtime.sendToConnection(id, NEWS)).toEqual(NOBODY);
    },
  );

  it('says that nobody has an id of this node which was never given out', async () => {
    const id = `${phone.id.split('.')[0]}.never`;
    expect(await stage.realtime.sendToConnection(id, NEWS)).toEqual(NOBODY);
  });

  it('says that nobody has the id of a connection which has ended', async () => {
    await stage.realtime.disconnect(connection(phone.id));
    expect(await stage.realtime.sendToConnection(phone.id, NEWS)).toEqual(NOBODY);
  });
});
