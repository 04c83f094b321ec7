import { OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { StreamPosition } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { connected, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { LineClient, Rooms, startRooms } from './rooms.js';

const ann = testToken('ann');

/** A topic whose last five messages are kept. */
@TopicGateway('log:{name}', { history: { size: 5, ttlMs: 60_000 } })
class Logs {
  @OnSubscribe() async join() {
    return true;
  }
}

/** An SDK at an application with the limits that the package has by itself. */
async function visit(limits = {}) {
  const options = { limits: { ...new RealtimeSettings({}).limits, ...limits } };
  const app = await startRooms(options, { providers: [Rooms, Logs] });
  return { app, client: await connected(sdkFor(app, { token: ann })) };
}

describe('An SDK stays connected', () => {
  it.each(['user#42', '$private', 'a b', 'größe', '#user:bob', '1'.repeat(300)])(
    'when it asks again and again for a channel with the name of no topic: %s',
    async (channel) => {
      const { client } = await visit({ maxViolationsPerMinute: 3 });
      for (let n = 0; n < 10; n++) {
        const subscription = client.newSubscription(channel);
        const refused = nextOf(subscription, 'unsubscribed');
        subscription.subscribe();
        expect((await refused).code).toBeGreaterThan(100);
        client.removeSubscription(subscription);
      }
      await subscribed(client, 'room:1');
      expect(client.state).toBe('connected');
    },
  );

  it('when it ends its subscriptions although its rate limit is used up', async () => {
    const { app, client } = await visit({ commandsPerSecond: 1, commandBurst: 5, maxTopicsPerConnection: 3 });
    const subscriptions = [await subscribed(client, 'room:1'), await subscribed(client, 'room:2')];
    await Promise.allSettled(Array.from({ length: 30 }, async () => client.rpc('echo', { topic: 'room:1' })));
    for (const subscription of subscriptions) subscription.unsubscribe();
    await expect.poll(async () => (await app.realtime.counts()).subscriptions).toBe(0);
    expect([client.state, (await app.realtime.counts()).connections]).toEqual(['connected', 1]);
  });

  it('when it wants to know who joins a topic without presence, and is subscribed', async () => {
    const { client } = await visit();
    const subscription = client.newSubscription('room:1', { joinLeave: true });
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await event;
    expect(client.state).toBe('connected');
  });

  it('when it calls without a topic more often than it may make mistakes', async () => {
    const { client } = await visit({ maxViolationsPerMinute: 3 });
    for (let n = 0; n < 10; n++) await expect(client.rpc('echo', { payload: n })).rejects.toMatchObject({ code: 108 });
    expect(client.state).toBe('connected');
  });

  it('when it asks for filters more often than it may make mistakes', async () => {
    const { app } = await visit({ maxViolationsPerMinute: 3 });
    const client = await (await LineClient.to(app)).connect(ann);
    const filtered = (id: number) => ({ id, subscribe: { channel: `room:${id}`, tf: { op: 'eq' } } });
    client.send(...Array.from({ length: 10 }, (_, n) => filtered(n + 2)), { id: 99, subscribe: { channel: 'room:1' } });
    expect(await client.reply(99)).toEqual({ id: 99, subscribe: {} });
  });

  it('when a call has more values than one may have', async () => {
    const { client } = await visit({ maxViolationsPerMinute: 1 });
    await subscribed(client, 'room:1');
    const call = client.rpc('echo', { topic: 'room:1', payload: Array.from({ length: 2_000 }, () => 0) });
    await expect(call).rejects.toMatchObject({ code: 106 });
    expect(await client.rpc('echo', { topic: 'room:1', payload: 1 })).toEqual({ data: 1 });
  });
});

describe('A call with more values than one may have', () => {
  it('ends the connection when it is repeated without a pause', async () => {
    const { app } = await visit({ maxViolationsPerMinute: 3 });
    const client = await (await LineClient.to(app)).connect(ann);
    const data = { topic: 'room:1', payload: Array.from({ length: 2_000 }, () => 0) };
    for (let id = 2; id < 12; id++) client.send({ id, rpc: { method: 'echo', data } });
    expect((await client.client.nextClose()).code).toBe(3509);
  });
});

describe('An SDK that loads the state of the application', () => {
  const GONE: StreamPosition = { epoch: 'gone', offset: 3 };

  it('loads it anew when its position cannot be recovered from, and is subscribed behind it', async () => {
    const { app, client } = await visit();
    await app.realtime.publish('log:1', { type: 'number', payload: 1 });
    const { epoch, offset } = await app.realtime.history('log:1');
    const places = [GONE, { epoch, offset }];
    let loads = 0;
    const subscription = client.newSubscription('log:1', {
      getState: async () => places[loads++]!,
      minResubscribeDelay: 5,
      maxResubscribeDelay: 20,
    });
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    expect(await event).toMatchObject({ wasRecovering: true, recovered: true });
    const publication = nextOf(subscription, 'publication');
    await app.realtime.publish('log:1', { type: 'number', payload: 2 });
    expect([(await publication).data, loads]).toEqual([expect.objectContaining({ payload: 2 }), 2]);
  });

  it('is not subscribed when it is told so', async () => {
    const { app } = await visit();
    const client = await (await LineClient.to(app)).connect(ann);
    const subscribe = { channel: 'log:1', recover: true, ...GONE, flag: 3 };
    client.send({ id: 2, subscribe });
    expect(await client.reply(2)).toEqual({ id: 2, error: { code: 112, message: expect.stringMatching(/[a-z]/) } });
    expect(await app.realtime.publish('log:1', { type: 'number', payload: 1 })).toMatchObject({ recipients: 0 });
    client.send({ id: 3, subscribe: { channel: 'log:1', flag: 3 } });
    expect(await client.reply(3)).toHaveProperty('subscribe.epoch');
  });

  it('twin: is subscribed, and told that it was not recovered, without the flag', async () => {
    const { app } = await visit();
    const client = await (await LineClient.to(app)).connect(ann);
    client.send({ id: 2, subscribe: { channel: 'log:1', recover: true, ...GONE, flag: 1 } });
    const { subscribe } = await client.reply(2);
    expect([subscribe.was_recovering, subscribe.recovered]).toEqual([true, undefined]);
  });
});
