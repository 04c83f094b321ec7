import { user } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { ManualClock } from '../../helpers/manual-clock.js';
import { connected, next, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { LineClient, startRooms } from './rooms.js';

const ann = testToken('ann');

describe('A client whose connection was ended', () => {
  it('comes back by itself, with its subscriptions', async () => {
    const app = await startRooms();
    const client = await connected(sdkFor(app, { token: ann }));
    const subscription = await subscribed(client, 'room:1');
    const back = nextOf(subscription, 'subscribed');
    await app.realtime.disconnect(user('ann'), { reconnect: true });
    await back;
    expect(await app.realtime.publish('room:1', { type: 'hi' })).toMatchObject({ recipients: 1 });
  });

  it('stays away when the application says so, and knows why', async () => {
    const app = await startRooms();
    const client = await connected(sdkFor(app, { token: ann }));
    const event = next(client, 'disconnected');
    await app.realtime.disconnect(user('ann'), { reason: 'you were banned' });
    expect(await event).toEqual({ code: 3503, reason: 'you were banned' });
  });

  it('stays away when its token was revoked', async () => {
    let isRevoked = false;
    const app = await startRooms({ isRevoked: () => isRevoked });
    const client = await connected(sdkFor(app, { token: ann }));
    const event = next(client, 'disconnected');
    isRevoked = true;
    await app.realtime.revalidate(user('ann'));
    expect(await event).toMatchObject({ code: 3500 });
  });

  it('is asked to come back when the node shuts down', async () => {
    const app = await startRooms();
    const client = await connected(sdkFor(app, { token: ann }));
    const event = next(client, 'connecting');
    await app.realtime.drain();
    expect(await event).toMatchObject({ code: 3001 });
  });
});

describe('A token that is about to end', () => {
  it('is renewed by the client, and the connection stays', async () => {
    const app = await startRooms();
    const getToken = vi.fn<() => Promise<string>>().mockResolvedValue(ann);
    getToken.mockResolvedValueOnce(testToken('ann', { exp: Math.ceil(Date.now() / 1000) + 1 }));
    const client = sdkFor(app, { getToken });
    const event = next(client, 'connected');
    client.connect();
    const { client: id } = await event;
    const isRenewed = async () => (await app.realtime.connection(id))!.expiresAt!.getTime() > Date.now() + 60_000;
    await vi.waitFor(async () => expect(await isRenewed()).toBe(true), { timeout: 15_000 });
  }, 20_000);

  it('closes the connection when it is not renewed', async () => {
    const clock = new ManualClock();
    const heartbeat = { intervalMs: 20, timeoutMs: 10_000 };
    const app = await startRooms({ heartbeat }, { ports: [{ provide: Clock, useValue: clock }] });
    const client = await connected(sdkFor(app, { token: ann }));
    const event = next(client, 'connecting');
    clock.advance(3_606_000);
    expect(await event).toMatchObject({ code: 3005 });
  });
});

describe('The renewal of a token', () => {
  it('is answered with the time until the next one', async () => {
    const client = await (await LineClient.to(await startRooms())).connect(ann);
    client.send({ id: 2, refresh: { token: ann } });
    expect(await client.reply(2)).toEqual({ id: 2, refresh: { expires: true, ttl: expect.any(Number) } });
  });

  it('brings other rights', async () => {
    const app = await startRooms();
    const client = await (await LineClient.to(app)).connect(ann);
    client.send({ id: 2, refresh: { token: testToken('ann', { roles: ['admin'] }) } });
    await client.reply(2);
    expect(await app.realtime.sendToRole('admin', { type: 'hi' })).toMatchObject({ recipients: 1 });
  });

  it.each([
    ['does not hold', 'broken', 101],
    ['is for another user', testToken('bob'), 103],
    ['has expired', testToken('ann', { exp: 1 }), 110],
  ])('is refused when the token %s', async (_why, token, code) => {
    const client = await (await LineClient.to(await startRooms())).connect(ann);
    client.send({ id: 2, refresh: { token } });
    expect(await client.reply(2)).toMatchObject({ error: { code } });
  });
});

describe('Pings', () => {
  const heartbeat = { intervalMs: 20, timeoutMs: 60 };

  it('keep the connection of a client that answers them', async () => {
    const app = await startRooms({ heartbeat });
    const client = await connected(sdkFor(app, { token: ann }));
    const watcher = await (await LineClient.to(app)).connect(ann);
    for (let pings = 0; pings < 8; pings += 1) {
      await watcher.client.next((line) => Object.keys(line).length === 0);
      watcher.send({});
    }
    expect(client.state).toBe('connected');
  });

  it('end the connection of one that does not', async () => {
    const client = await (await LineClient.to(await startRooms({ heartbeat }))).connect(ann);
    expect(await client.client.nextClose()).toEqual({ code: 3012, reason: 'heartbeat timeout, did not answer a ping' });
  });

  it('need one answer, and not a second', async () => {
    const app = await startRooms({ heartbeat: { intervalMs: 1_000, timeoutMs: 1_000 } });
    const client = await (await LineClient.to(app)).connect(ann);
    await client.client.next((line) => Object.keys(line).length === 0);
    client.send({}, {});
    expect((await client.client.nextClose()).code).toBe(3501);
  });
});
