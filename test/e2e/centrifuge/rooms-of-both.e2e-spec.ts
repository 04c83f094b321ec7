import { connection, role, user } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { connected, next, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { startRooms } from './rooms.js';

describe('In a room of clients of both protocols', () => {
  it('a message reaches all of them, with the same data', async () => {
    const app = await startRooms();
    const plain = await app.connectAs('bob');
    await plain.request({ action: 'subscribe', topic: 'room:1' });
    const subscription = await subscribed(await connected(sdkFor(app, { token: testToken('ann') })), 'room:1');
    const publication = nextOf(subscription, 'publication');
    const report = await app.realtime.publish('room:1', { type: 'order.updated', payload: { id: 7 } });
    const { topic, ...message } = await plain.next('order.updated');
    expect(report).toMatchObject({ recipients: 2, complete: true });
    expect([topic, (await publication).data]).toEqual(['room:1', message]);
  });

  it('what one of them says reaches the other', async () => {
    const app = await startRooms();
    const plain = await app.connectAs('bob');
    await plain.request({ action: 'subscribe', topic: 'room:1' });
    const subscription = await subscribed(await connected(sdkFor(app, { token: testToken('ann') })), 'room:1');
    await subscription.publish({ type: 'say', payload: 'hello' });
    expect((await plain.next('said')).payload).toEqual({ from: 'ann', text: 'hello' });
    const answer = nextOf(subscription, 'publication');
    plain.send({ action: 'message', topic: 'room:1', type: 'say', payload: 'hi' });
    expect((await answer).data).toMatchObject({ payload: { from: 'bob', text: 'hi' } });
  });

  it('all of them get the messages in one order', async () => {
    const app = await startRooms();
    const plain = await app.connectAs('bob');
    await plain.request({ action: 'subscribe', topic: 'room:1' });
    const subscription = await subscribed(await connected(sdkFor(app, { token: testToken('ann') })), 'room:1');
    const heard: unknown[] = [];
    const last = new Promise<void>((resolve) => {
      subscription.on('publication', ({ data }) => {
        heard.push(data.payload);
        if (heard.length === 50) resolve();
      });
    });
    const numbers = Array.from({ length: 50 }, (_, at) => at);
    await Promise.all(numbers.map((payload) => app.realtime.publish('room:1', { type: 'number', payload })));
    await last;
    await plain.settled();
    expect([heard, plain.pending.map(({ payload }) => payload)]).toEqual([numbers, numbers]);
  });
});

describe('A message that was published to no topic', () => {
  const SENDS = {
    'to the user': () => user('ann'),
    'to a role': () => role('admin'),
    'to the connection': connection,
  } as const;

  it.each(Object.entries(SENDS))('%s arrives', async (_whom, address) => {
    const app = await startRooms();
    const client = sdkFor(app, { token: testToken('ann', { roles: ['admin'] }) });
    const event = next(client, 'connected');
    client.connect();
    const { client: id } = await event;
    const message = next(client, 'message');
    await app.realtime.to(address(id)).send({ type: 'invoice.paid', payload: { id: 7 } });
    expect((await message).data).toEqual({ type: 'invoice.paid', payload: { id: 7 }, timestamp: expect.any(String) });
  });

  it('to everybody arrives', async () => {
    const app = await startRooms();
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    const message = next(client, 'message');
    await app.realtime.broadcast({ type: 'hello' });
    expect((await message).data).toEqual({ type: 'hello', timestamp: expect.any(String) });
  });
});
