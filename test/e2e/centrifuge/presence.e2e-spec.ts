import { CurrentConnection, OnSubscribe, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { Rooms, startRooms } from './rooms.js';

/** A topic whose subscribers see each other. */
@TopicGateway('table:{id}', { presence: true })
class Tables {
  @OnSubscribe() join(@CurrentConnection() { userId }: RealtimeConnection) {
    return { info: { name: userId.toUpperCase() } };
  }
}

function start(): Promise<RealtimeApp> {
  return startRooms({ presence: { graceMs: 10 } }, { providers: [Tables, Rooms] });
}

function sdkOf(app: RealtimeApp, userId: string): Promise<Centrifuge> {
  return connected(sdkFor(app, { token: testToken(userId) }));
}

/** A subscriber who is told who joins and who leaves. */
async function watcher(app: RealtimeApp): Promise<Subscription> {
  const subscription = (await sdkOf(app, 'ann')).newSubscription('table:1', { joinLeave: true });
  const done = nextOf(subscription, 'subscribed');
  subscription.subscribe();
  await done;
  return subscription;
}

/** Resolves with the next presence event about Bob; a watcher also receives its own. */
function newsOfBob(subscription: Subscription, event: 'join' | 'leave'): Promise<unknown> {
  return new Promise((resolve) => {
    subscription.on(event, ({ info }) => {
      if (info.user === 'bob') resolve(info);
    });
  });
}

const BOB = { client: 'bob', user: 'bob', connInfo: { name: 'BOB' } };

describe('Who is in a topic', () => {
  it('is told to its subscribers, whatever protocol the others speak', async () => {
    const app = await start();
    const subscription = await watcher(app);
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'table:1' });
    const { clients } = await subscription.presence();
    expect(Object.keys(clients).sort()).toEqual(['ann', 'bob']);
    expect(clients['bob']).toMatchObject(BOB);
  });

  it('is told in numbers: of connections, and of users', async () => {
    const app = await start();
    const subscription = await watcher(app);
    for (let device = 0; device < 2; device += 1) await subscribed(await sdkOf(app, 'bob'), 'table:1');
    expect(await subscription.presenceStats()).toEqual({ numClients: 3, numUsers: 2 });
  });

  it.each([
    ['those who have not subscribed', 'table:2', false, 103],
    ['topics that do not want it known', 'room:1', true, 108],
  ])('is not told of %s', async (_which, channel, isSubscribed, code) => {
    const client = await sdkOf(await start(), 'ann');
    if (isSubscribed) await subscribed(client, channel);
    await expect(client.presence(channel)).rejects.toMatchObject({ code });
    await expect(client.presenceStats(channel)).rejects.toMatchObject({ code });
  });
});

describe('Who joins and who leaves', () => {
  it('is told to those who asked for it', async () => {
    const app = await start();
    const subscription = await watcher(app);
    const joined = newsOfBob(subscription, 'join');
    const bob = await sdkOf(app, 'bob');
    const bobs = await subscribed(bob, 'table:1');
    expect(await joined).toMatchObject(BOB);
    const left = newsOfBob(subscription, 'leave');
    bobs.unsubscribe();
    expect(await left).toMatchObject(BOB);
  });

  it('is told when a connection has gone and does not come back', async () => {
    const app = await start();
    const subscription = await watcher(app);
    const joined = newsOfBob(subscription, 'join');
    const bob = await sdkOf(app, 'bob');
    await subscribed(bob, 'table:1');
    await joined;
    const left = newsOfBob(subscription, 'leave');
    bob.disconnect();
    expect(await left).toMatchObject(BOB);
  });
});
