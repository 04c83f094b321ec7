import { connection } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge } from 'centrifuge';
import { describe, expect, it, vi } from 'vitest';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { LineClient, startRooms } from './rooms.js';

const ann = testToken('ann');

async function start(): Promise<{ app: RealtimeApp; client: Centrifuge }> {
  const app = await startRooms();
  return { app, client: await connected(sdkFor(app, { token: ann })) };
}

async function idOf(app: RealtimeApp): Promise<string> {
  return (await app.realtime.connectionsOf('ann'))[0]!.id;
}

describe('A subscription', () => {
  it('is active when the client is told', async () => {
    const { app, client } = await start();
    await subscribed(client, 'room:1');
    expect(await app.realtime.publish('room:1', { type: 'hi' })).toMatchObject({ recipients: 1 });
  });

  it('brings nothing before the client is told, and everything from then on', async () => {
    const app = await startRooms();
    const client = await (await LineClient.to(app)).connect(ann);
    const bus = app.app.get(MessageBus);
    const join = bus.join.bind(bus);
    let tell = (): void => undefined;
    const isJoined = new Promise<void>((joined) => {
      vi.spyOn(bus, 'join').mockImplementationOnce(async (subject) => {
        await join(subject);
        joined();
        await new Promise<void>((resolve) => (tell = resolve));
      });
    });
    client.send({ id: 2, subscribe: { channel: 'room:1' } });
    await isJoined;
    const early = await app.realtime.publish('room:1', { type: 'early' });
    tell();
    await client.reply(2);
    const late = await app.realtime.publish('room:1', { type: 'late' });
    expect(await client.push('pub')).toMatchObject({ channel: 'room:1', pub: { data: { type: 'late' } } });
    expect([early.recipients, late.recipients, client.client.pending]).toEqual([0, 1, []]);
  });

  it('hands its data to the handler', async () => {
    const { client } = await start();
    const subscription = client.newSubscription('room:1', { data: 'no' });
    const event = nextOf(subscription, 'unsubscribed');
    subscription.subscribe();
    expect(await event).toMatchObject({ code: 103 });
  });

  it.each([
    ['the handler throws a refusal', 'room:1', 'throw', { code: 103, reason: 'Members only' }],
    ['there is no such topic', 'nowhere', undefined, { code: 102 }],
    ['nobody may subscribe to the topic', 'vault:1', undefined, { code: 103 }],
    ['the topic has no name that a topic may have', '$private', undefined, { code: 107 }],
  ])('is refused for good when %s', async (_why, channel, data, refusal) => {
    const { client } = await start();
    const subscription = client.newSubscription(channel, { data });
    const event = nextOf(subscription, 'unsubscribed');
    subscription.subscribe();
    expect([await event, client.state]).toEqual([expect.objectContaining(refusal), 'connected']);
  });

  it('brings the data of the application in its event', async () => {
    const { client } = await start();
    const subscription = client.newSubscription('room:1', { data: 'data' });
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    expect((await event).data).toEqual({ title: 'Lobby' });
  });

  it('is tried again when it is refused for the moment', async () => {
    const { client } = await start();
    const getData = vi.fn<() => Promise<string>>().mockResolvedValueOnce('later').mockResolvedValue('now');
    const subscription = client.newSubscription('room:1', { getData, minResubscribeDelay: 5, maxResubscribeDelay: 20 });
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await event;
    expect(getData).toHaveBeenCalledTimes(2);
  });

  it('is refused above the limit, and others stay', async () => {
    const app = await startRooms({ limits: { maxTopicsPerConnection: 1 } });
    const client = await connected(sdkFor(app, { token: ann }));
    await subscribed(client, 'room:1');
    const second = client.newSubscription('room:2');
    const event = nextOf(second, 'unsubscribed');
    second.subscribe();
    expect(await event).toMatchObject({ code: 106 });
  });

  it('ends when the client ends it', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'room:1');
    subscription.unsubscribe();
    await vi.waitFor(async () => expect(await app.realtime.counts()).toMatchObject({ subscriptions: 0 }), 15_000);
    expect(client.state).toBe('connected');
  });

  it('can be ended by a client that has none', async () => {
    const client = await (await LineClient.to(await startRooms())).connect(ann);
    client.send({ id: 2, unsubscribe: { channel: 'room:1' } });
    expect(await client.reply(2)).toEqual({ id: 2, unsubscribe: {} });
  });

  it('can be given up under a name that no topic may have, and the connection stays', async () => {
    const { app, client } = await start();
    const id = await idOf(app);
    const subscription = client.newSubscription('$private');
    subscription.subscribe();
    subscription.unsubscribe();
    await subscribed(client, 'room:1');
    expect(await idOf(app)).toBe(id);
  });

  it('ends for good when the server ends it, with the reason', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'room:1');
    const event = nextOf(subscription, 'unsubscribed');
    await app.realtime.unsubscribe(await idOf(app), 'room:1', { reason: 'the room is closed' });
    expect(await event).toMatchObject({ code: 2000, reason: 'the room is closed' });
  });

  it('comes to an end with the rights that it was granted for', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'room:1');
    const event = nextOf(subscription, 'unsubscribed');
    await app.realtime.changeRights(connection(await idOf(app)), { roles: ['banned'] });
    expect(await event).toMatchObject({ code: 2000 });
  });
});

describe('A subscription that the server begins', () => {
  it('is told to the client, and brings it publications', async () => {
    const { app, client } = await start();
    const begun = next(client, 'subscribed');
    await app.realtime.subscribe(await idOf(app), 'vault:1');
    expect(await begun).toMatchObject({ channel: 'vault:1' });
    const publication = next(client, 'publication');
    await app.realtime.publish('vault:1', { type: 'opened' });
    expect(await publication).toMatchObject({ channel: 'vault:1', data: { type: 'opened' } });
  });

  it('is told to be over when the server ends it', async () => {
    const { app, client } = await start();
    const begun = next(client, 'subscribed');
    await app.realtime.subscribe(await idOf(app), 'vault:1');
    await begun;
    const ended = next(client, 'unsubscribed');
    await app.realtime.unsubscribe(await idOf(app), 'vault:1');
    expect(await ended).toMatchObject({ channel: 'vault:1' });
  });
});
