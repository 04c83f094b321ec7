import { OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription } from 'centrifuge';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InMemoryHistoryStore } from '../../../lib/adapters/in-memory/in-memory-history-store.js';
import { LocalDelivery } from '../../../lib/delivery/local-delivery.js';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { LineClient, Rooms, startRooms, type Line } from './rooms.js';

/** A topic whose last five messages are kept. */
@TopicGateway('log:{name}', { history: { size: 5, ttlMs: 60_000 } })
class Logs {
  @OnSubscribe() join() {
    return true;
  }
}

/** A topic that shows its last two messages. */
@TopicGateway('chat:{name}', { history: { size: 5, ttlMs: 60_000, sendLast: 2 } })
class Chats {
  @OnSubscribe() join() {
    return true;
  }
}

/** A topic whose history clients may not ask for. */
@TopicGateway('secret:{name}', { history: { size: 5, ttlMs: 60_000 }, clientAccess: false })
class Secrets {
  @OnSubscribe() join() {
    return true;
  }
}

const ann = testToken('ann');

async function start(): Promise<{ app: RealtimeApp; client: Centrifuge }> {
  const app = await startRooms({}, { providers: [Logs, Chats, Secrets, Rooms] });
  return { app, client: await connected(sdkFor(app, { token: ann })) };
}

async function publish({ realtime }: RealtimeApp, ...numbers: number[]): Promise<void> {
  for (const payload of numbers) await realtime.publish('log:1', { type: 'number', payload });
}

/** The numbers that a subscription brings, as they come; and a promise for when the last one has come. */
function numbersOf(subscription: Subscription, last: number): { heard: number[]; done: Promise<void> } {
  const heard: number[] = [];
  const done = new Promise<void>((resolve) => {
    subscription.on('publication', ({ data }) => {
      heard.push(data.payload as number);
      if (data.payload === last) resolve();
    });
  });
  return { heard, done };
}

describe('A subscription to a topic that keeps a history', () => {
  it('knows its place in it', async () => {
    const { app, client } = await start();
    await publish(app, 1, 2, 3);
    const subscription = client.newSubscription('log:1');
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    expect(await event).toMatchObject({
      recoverable: true,
      positioned: true,
      wasRecovering: false,
      streamPosition: { offset: 3, epoch: expect.any(String) },
    });
  });

  it('brings each publication with its place', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    const publication = nextOf(subscription, 'publication');
    await publish(app, 1);
    expect(await publication).toMatchObject({ offset: 1, data: { payload: 1 } });
  });

  it('recovers what was published while the connection was gone, and goes on', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    const { heard, done } = numbersOf(subscription, 6);
    await publish(app, 1);
    const left = next(client, 'connecting');
    await app.realtime.disconnect(user('ann'), { reconnect: true });
    await publish(app, 2, 3, 4);
    await left;
    expect(await nextOf(subscription, 'subscribed')).toMatchObject({ wasRecovering: true, recovered: true });
    await publish(app, 5, 6);
    await done;
    expect(heard).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('has what was missed in the answer, and says so', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    const first = nextOf(subscription, 'publication');
    await publish(app, 1);
    await first;
    client.disconnect();
    await publish(app, 2, 3);
    const { heard, done } = numbersOf(subscription, 3);
    const event = nextOf(subscription, 'subscribed');
    client.connect();
    const isRecovered = { wasRecovering: true, recovered: true };
    expect(await event).toMatchObject({
      ...isRecovered,
      hasRecoveredPublications: true,
      streamPosition: { offset: 1 },
    });
    await done;
    client.disconnect();
    const again = nextOf(subscription, 'subscribed');
    client.connect();
    const nothing = { hasRecoveredPublications: false, streamPosition: { offset: 3 } };
    expect(await again).toMatchObject({ ...isRecovered, ...nothing });
    await publish(app, 4);
    await expect.poll(() => heard).toEqual([2, 3, 4]);
  });

  it('gets what does not fit into the answer behind it', async () => {
    const app = await startRooms({ limits: { maxHistoryPage: 2 } }, { providers: [Logs, Rooms] });
    const client = await LineClient.to(app);
    await client.connect(ann);
    await publish(app, 1, 2, 3, 4, 5);
    client.send({ id: 2, subscribe: { channel: 'log:1', recover: true } });
    const { subscribe } = await client.reply(2);
    expect(subscribe).toMatchObject({ was_recovering: true, recovered: true });
    expect(subscribe).not.toHaveProperty('offset');
    const numbers = subscribe.publications.map(({ data }: Line) => data.payload);
    while (numbers.length < 5) numbers.push((await client.push('pub'))['pub'].data.payload);
    await publish(app, 6);
    numbers.push((await client.push('pub'))['pub'].data.payload);
    expect([subscribe.publications.length, numbers]).toEqual([2, [1, 2, 3, 4, 5, 6]]);
  });

  it('to a topic that keeps none says that nothing was recovered', async () => {
    const { client } = await start();
    const subscription = client.newSubscription('room:1', { since: { epoch: 'e', offset: 3 } });
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    expect(await event).toMatchObject({ wasRecovering: true, recovered: false, recoverable: false });
  });

  it('says that it cannot recover what is not kept any more', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    client.disconnect();
    await publish(app, 1, 2, 3, 4, 5, 6, 7);
    const event = nextOf(subscription, 'subscribed');
    client.connect();
    expect(await event).toMatchObject({ wasRecovering: true, recovered: false, streamPosition: { offset: 7 } });
  });

  it('recovers what was published while it was ended by the client', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    subscription.unsubscribe();
    await publish(app, 1, 2);
    const { heard, done } = numbersOf(subscription, 2);
    subscription.subscribe();
    await done;
    expect(heard).toEqual([1, 2]);
  });

  it('begins where the application says', async () => {
    const { app, client } = await start();
    await publish(app, 1, 2, 3, 4);
    const { epoch } = await app.realtime.history('log:1');
    const subscription = client.newSubscription('log:1', { since: { epoch, offset: 2 } });
    const { heard, done } = numbersOf(subscription, 4);
    subscription.subscribe();
    await done;
    expect(heard).toEqual([3, 4]);
  });

  it.each([
    ['brings all there ever was when it begins before the first', 5, [1, 2, 3, 4, 5]],
    ['brings nothing of it when the first is not kept any more', 6, [7]],
  ])('%s, in whichever epoch', async (_what, published, expected) => {
    const { app, client } = await start();
    await publish(app, ...Array.from({ length: published }, (_, at) => at + 1));
    const subscription = client.newSubscription('log:1', { since: { epoch: '', offset: 0 } });
    const { heard, done } = numbersOf(subscription, expected.at(-1)!);
    const event = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    expect(await event).toMatchObject({ wasRecovering: true, recovered: published === 5 });
    if (published > 5) await publish(app, 7);
    await done;
    expect(heard).toEqual(expected);
  });

  it('is begun again by the client when something was missed on the way to it', async () => {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    const { heard, done } = numbersOf(subscription, 2);
    await publish(app, 1);
    const { epoch } = await app.realtime.history('log:1');
    const left = nextOf(subscription, 'subscribing');
    const back = nextOf(subscription, 'subscribed');
    app.app.get(LocalDelivery).missed('log:1', { epoch, offset: 1 }, []);
    expect([(await left).code, await back]).toEqual([2500, expect.objectContaining({ wasRecovering: true })]);
    await publish(app, 2);
    await done;
    expect(heard).toEqual([1, 2]);
  });
});

it('A subscription that the server and the client have begun is begun again by the client', async () => {
  const { app, client } = await start();
  const [me] = await app.realtime.connectionsOf('ann');
  await app.realtime.subscribe(me!.id, 'log:1');
  const subscription = await subscribed(client, 'log:1');
  const { epoch } = await app.realtime.history('log:1');
  const left = nextOf(subscription, 'subscribing');
  const back = nextOf(subscription, 'subscribed');
  app.app.get(LocalDelivery).missed('log:1', { epoch, offset: 0 }, []);
  expect([(await left).code, await back]).toEqual([2500, expect.objectContaining({ wasRecovering: true })]);
});

it('A recovery whose next page is trimmed is ended with 2500, and begun again by the client', async () => {
  const app = await startRooms({ limits: { maxHistoryPage: 2 } }, { providers: [Logs, Rooms] });
  await publish(app, 1, 2, 3, 4, 5);
  const { epoch } = await app.realtime.history('log:1');
  const { read } = InMemoryHistoryStore.prototype;
  let isTrimmed = false;
  const spy = vi.spyOn(InMemoryHistoryStore.prototype, 'read').mockImplementation(function (
    this: InMemoryHistoryStore,
    ...args
  ) {
    if (isTrimmed || args[1].since !== 2) return read.call(this, ...args);
    isTrimmed = true;
    const trimmed = nextTurn().then(() => publish(app, 6, 7, 8, 9, 10));
    return trimmed.then(() => read.call(this, ...args)) as never;
  });
  onTestFinished(() => spy.mockRestore());
  const client = await connected(sdkFor(app, { token: ann }));
  const subscription = client.newSubscription('log:1', { since: { epoch, offset: 0 } });
  const { heard, done } = numbersOf(subscription, 11);
  const events: unknown[] = [];
  subscription.on('subscribed', ({ recovered }) => void events.push(recovered));
  subscription.on('subscribing', ({ code }) => void events.push(code));
  subscription.subscribe();
  await expect.poll(() => events).toEqual([0, true, 2500, false]);
  await publish(app, 11);
  await done;
  expect(heard).toEqual([1, 2, 11]);
});

it('A subscription that the server begins brings the last messages of its topic, then what comes', async () => {
  const { app, client } = await start();
  const say = (payload: number) => app.realtime.publish('chat:1', { type: 'number', payload });
  for (const payload of [1, 2, 3]) await say(payload);
  const heard: unknown[] = [];
  client.on('subscribed', ({ channel }) => heard.push(channel));
  client.on('publication', ({ data, offset }) => heard.push([data.payload, offset]));
  await app.realtime.subscribe((await app.realtime.connectionsOf('ann'))[0]!.id, 'chat:1');
  await say(4);
  await vi.waitFor(() => expect(heard).toEqual(['chat:1', [2, 2], [3, 3], [4, 4]]), 15_000);
});

it('A subscription to a topic that shows its last messages brings them, then what comes, and recovers', async () => {
  const { app, client } = await start();
  const say = (payload: number) => app.realtime.publish('chat:1', { type: 'number', payload });
  for (const number of [1, 2, 3, 4]) await say(number);
  const subscription = client.newSubscription('chat:1');
  const { heard, done } = numbersOf(subscription, 7);
  const event = nextOf(subscription, 'subscribed');
  subscription.subscribe();
  expect(await event).toMatchObject({ wasRecovering: false, streamPosition: { offset: 2 } });
  await say(5);
  await expect.poll(() => heard).toEqual([3, 4, 5]);
  client.disconnect();
  await say(6);
  const back = nextOf(subscription, 'subscribed');
  client.connect();
  expect(await back).toMatchObject({ wasRecovering: true, recovered: true });
  await say(7);
  await done;
  expect(heard).toEqual([3, 4, 5, 6, 7]);
});

describe('The history of a topic', () => {
  async function inLog(): Promise<Subscription> {
    const { app, client } = await start();
    const subscription = await subscribed(client, 'log:1');
    await publish(app, 1, 2, 3, 4);
    return subscription;
  }

  const offsets = ({ publications }: { publications: { offset?: number }[] }) =>
    publications.map(({ offset }) => offset);

  it('is there for subscribers, as far as it is kept', async () => {
    const subscription = await inLog();
    const history = await subscription.history({ limit: -1 });
    expect(history.publications.map(({ data }) => data.payload)).toEqual([1, 2, 3, 4]);
    expect(history).toMatchObject({ offset: 4, epoch: expect.any(String) });
  });

  it('can be asked for its place alone', async () => {
    const subscription = await inLog();
    expect(await subscription.history({ limit: 0 })).toMatchObject({ offset: 4, publications: [] });
  });

  it('can be asked for page by page, both ways', async () => {
    const subscription = await inLog();
    const { epoch } = await subscription.history({ limit: 0 });
    const ahead = await subscription.history({ limit: 2, since: { epoch, offset: 1 } });
    const back = await subscription.history({ limit: 2, since: { epoch, offset: 4 }, reverse: true });
    const latest = await subscription.history({ limit: 1, reverse: true });
    expect([ahead, back, latest].map(offsets)).toEqual([[2, 3], [3, 2], [4]]);
  });

  it.each([
    ['it has begun anew since then', { limit: 1, since: { epoch: 'another', offset: 1 } }, 112],
    ['it is asked for before its first publication', { limit: 1, since: { epoch: '', offset: 0 }, reverse: true }, 107],
    ['the limit is none', { limit: -2 }, 107],
  ])('is refused when %s', async (_why, options, code) => {
    await expect((await inLog()).history(options)).rejects.toMatchObject({ code });
  });

  it.each([
    ['those who have not subscribed', 'log:2', false, 103],
    ['topics that keep none', 'room:1', true, 108],
    ['topics that the application keeps to itself', 'secret:1', true, 103],
  ])('is not there for %s', async (_whom, channel, isSubscribed, code) => {
    const { client } = await start();
    if (isSubscribed) await subscribed(client, channel);
    await expect(client.history(channel, { limit: 1 })).rejects.toMatchObject({ code });
  });
});
