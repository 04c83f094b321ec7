import { connection, role, topic, user, type Address } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const NEWS = { type: 'news', payload: { n: 1 } };

let app: RealtimeApp;
/** Two devices of one administrator, and somebody else. */
let [phone, laptop, bob]: Guest[] = [];

beforeEach(async () => {
  app = await startRealtimeApp();
  phone = await app.connectAs('ann', { roles: ['admin', 'staff'] });
  laptop = await app.connectAs('ann', { roles: ['admin'] });
  bob = await app.connectAs('bob', { roles: ['staff'] });
});

/** Who got a message, and how many copies of it. */
async function copies(): Promise<Record<string, number>> {
  const guests = { phone, laptop, bob };
  const entries = Object.entries(guests).map(async ([name, guest]) => {
    const types = await typesReceivedBy(guest!);
    return [name, types.filter((type) => type === NEWS.type).length] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Has the server subscribe a connection, and takes the note about it. */
async function subscribe(guest: Guest | undefined, name: string): Promise<void> {
  await app.realtime.subscribe(guest!.id, name);
  await guest!.next('realtime:subscribed');
}

describe('a message to one address', () => {
  it('arrives on every device of a user, and at nobody else', async () => {
    await app.realtime.sendToUser('ann', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 0 });
  });

  it('arrives at everybody who has a role', async () => {
    await app.realtime.sendToRole('staff', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 0, bob: 1 });
  });

  it('arrives at one connection', async () => {
    await app.realtime.sendToConnection(laptop!.id, NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 0 });
  });

  it('arrives at everybody', async () => {
    await app.realtime.broadcast(NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 1 });
  });

  it('arrives at the subscribers of a topic', async () => {
    await subscribe(phone, 'order:1');
    await subscribe(bob, 'order:2');
    await app.realtime.publish('order:1', NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 0, bob: 0 });
  });

  it('does not confuse a user, a role, a connection and a topic of the same name', async () => {
    await subscribe(laptop, 'bob');
    const decoys = [await app.connectAs('zoe', { roles: ['bob'] }), await app.connectAs(bob!.id)];
    await app.realtime.sendToUser('bob', NEWS);
    expect([await copies(), ...(await Promise.all(decoys.map(typesReceivedBy)))]).toEqual([
      { phone: 0, laptop: 0, bob: 1 },
      [],
      [],
    ]);
  });

  it('names the topic it was published to', async () => {
    await subscribe(bob, 'order:1');
    await app.realtime.publish('order:1', NEWS);
    expect(await bob!.next()).toEqual({ ...NEWS, topic: 'order:1', timestamp: expect.any(String) });
  });

  it('names no topic when it was published to none', async () => {
    await app.realtime.sendToUser('bob', NEWS);
    expect(await bob!.next()).toEqual({ ...NEWS, timestamp: expect.any(String) });
  });

  it('does not arrive after the connection has unsubscribed', async () => {
    await subscribe(bob, 'order:1');
    await bob!.request({ action: 'unsubscribe', topic: 'order:1' });
    await app.realtime.publish('order:1', NEWS);
    expect(await copies()).toMatchObject({ bob: 0 });
  });
});

describe('a message to several addresses', () => {
  it('arrives once at a connection that matches all of them', async () => {
    await subscribe(phone, 'order:1');
    await app.realtime.to(user('ann'), role('admin'), connection(phone!.id), topic('order:1')).send(NEWS);
    expect(await copies()).toEqual({ phone: 1, laptop: 1, bob: 0 });
  });

  it('arrives at everybody who matches one of them', async () => {
    await app.realtime.to(user('bob'), connection(laptop!.id)).send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 1 });
  });

  it('names no topic, for not everybody gets it because of one', async () => {
    await subscribe(bob, 'order:1');
    await app.realtime.to(user('ann'), topic('order:1')).send(NEWS);
    expect(await bob!.next()).not.toHaveProperty('topic');
  });

  it('arrives at nobody when there is no address', async () => {
    await app.realtime.to().send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 0, bob: 0 });
  });
});

describe('an exception', () => {
  const cases: [string, () => Address, object][] = [
    ['a user', () => user('ann'), { phone: 0, laptop: 0, bob: 1 }],
    ['a role', () => role('staff'), { phone: 0, laptop: 1, bob: 0 }],
    ['a connection', () => connection(laptop!.id), { phone: 1, laptop: 0, bob: 1 }],
    ['a topic', () => topic('muted'), { phone: 1, laptop: 1, bob: 0 }],
    ['everybody', () => ({ kind: 'all' }), { phone: 0, laptop: 0, bob: 0 }],
    ['nobody that is there', () => user('zoe'), { phone: 1, laptop: 1, bob: 1 }],
  ];

  it.each(cases)('leaves out %s', async (_what, exception, expected) => {
    await subscribe(bob, 'muted');
    await app.realtime.to({ kind: 'all' }).except(exception()).send(NEWS);
    expect(await copies()).toEqual(expected);
  });

  it('adds to the exceptions before it', async () => {
    await app.realtime.to({ kind: 'all' }).except(user('bob')).except(connection(phone!.id)).send(NEWS);
    expect(await copies()).toEqual({ phone: 0, laptop: 1, bob: 0 });
  });

  it('does not change the recipients it was made from', async () => {
    const everybody = app.realtime.to({ kind: 'all' });
    everybody.except(user('bob'));
    await everybody.send(NEWS);
    expect(await copies()).toMatchObject({ bob: 1 });
  });

  it('leaves somebody out of the subscribers of a topic, whose name is still told', async () => {
    await subscribe(phone, 'order:1');
    await subscribe(bob, 'order:1');
    await app.realtime.to(topic('order:1')).except(connection(phone!.id)).send(NEWS);
    expect([await bob!.next(), await typesReceivedBy(phone!)]).toMatchObject([{ topic: 'order:1' }, []]);
  });
});

describe('a delivery report', () => {
  it('counts connections, not users', async () => {
    expect(await app.realtime.sendToUser('ann', NEWS)).toEqual({ recipients: 2, nodes: 1, complete: true });
  });

  it('counts a connection once that matches several addresses', async () => {
    const report = await app.realtime.to(user('ann'), role('admin'), role('staff')).send(NEWS);
    expect(report).toEqual({ recipients: 3, nodes: 1, complete: true });
  });

  it('does not count who was left out', async () => {
    const report = await app.realtime.to({ kind: 'all' }).except(user('ann')).send(NEWS);
    expect(report).toEqual({ recipients: 1, nodes: 1, complete: true });
  });

  it('is the same when no answers are asked for, on one node', async () => {
    const report = await app.realtime.broadcast(NEWS, { report: false });
    expect(report).toEqual({ recipients: 3, nodes: 1, complete: true });
  });

  const NOBODY = { recipients: 0, nodes: 0, complete: true };

  it.each([
    ['an unknown user', user('zoe')],
    ['an unknown role', role('owner')],
    ['a topic without subscribers', topic('order:9')],
    ['a user called like a property of objects', user('__proto__')],
  ])('says that %s has no connections', async (_what, address) => {
    expect(await app.realtime.to(address).send(NEWS)).toEqual(NOBODY);
  });

  it.each(['nobody', 'no.body', '.', 'a.b.c', '..', 'a.', '.b', ' ', 'ann', 'x'.repeat(10_000), '\u0000', '💥.💥'])(
    'says that nobody has the connection id %j',
    async (id) => {
      expect(await app.realtime.sendToConnection(id, NEWS)).toEqual(NOBODY);
    },
  );

  it('says that nobody has an id of this node which was never given out', async () => {
    const id = `${phone!.id.split('.')[0]}.never`;
    expect(await app.realtime.sendToConnection(id, NEWS)).toEqual(NOBODY);
  });

  it('says that nobody has the id of a connection which has ended', async () => {
    await app.realtime.disconnect(connection(phone!.id));
    expect(await app.realtime.sendToConnection(phone!.id, NEWS)).toEqual(NOBODY);
  });
});
