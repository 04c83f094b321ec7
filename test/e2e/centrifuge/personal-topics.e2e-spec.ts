import { connection, OnSubscribe, RealtimeService, TopicGateway, user, type RealtimeOptions } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { redisBackend } from 'nestjs-realtime/redis';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge } from 'centrifuge';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { LocalDelivery } from '../../../lib/delivery/local-delivery.js';
import { receivedBy, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { RedisServer, startRedis } from '../../helpers/redis-server.js';
import { connected, next, nextOf, sdkFor } from '../../helpers/sdk.js';
import { LineClient, PATH, Rooms, startRooms, type Line } from './rooms.js';

const KEPT: RealtimeOptions = { centrifuge: { personalTopics: { size: 5, ttlMs: 60_000 } } };
const LOST: RealtimeOptions = { centrifuge: true };

/** Takes every topic there is, were it asked. */
@TopicGateway('{kind}:{id}', { history: { size: 1, ttlMs: 60_000 }, presence: true })
class Everything {
  @OnSubscribe() join() {
    return true;
  }
}

let redis: RedisServer;

beforeAll(async () => {
  redis = await RedisServer.start();
});

afterAll(() => redis.end());

let clusters = 0;

/** The nodes of an application; the client comes back to the last one. */
const PLACES: Record<string, (options: RealtimeOptions) => Promise<readonly RealtimeApp[]>> = {
  'in memory': async (options) => [await start(options)],
  'over two nodes': async (options) => {
    trustNewServers();
    const backend = redisBackend({ url: redis.url, prefix: `personal-${++clusters}` });
    return Promise.all([start(options, { backend }), start(options, { backend })]);
  },
};

function start(options = KEPT, parts: RealtimeAppParts = {}): Promise<RealtimeApp> {
  return startRooms(options, { providers: [Rooms, Everything], ...parts });
}

function sdkOf(app: RealtimeApp, userId: string): Centrifuge {
  return sdkFor(app, { token: testToken(userId) });
}

async function tell({ realtime }: { realtime: RealtimeService }, userId: string, ...numbers: number[]): Promise<void> {
  for (const payload of numbers) await realtime.sendToUser(userId, { type: 'number', payload });
}

/** The numbers that a client hears of, however they come; and a promise for when the last one has come. */
function numbersOf(client: Centrifuge, last: number): { heard: unknown[]; done: Promise<void> } {
  const heard: unknown[] = [];
  const done = new Promise<void>((resolve) => {
    const hear = ({ data }: { data: { payload?: unknown } }) => {
      heard.push(data.payload);
      if (data.payload === last) resolve();
    };
    client.on('publication', hear);
    client.on('message', hear);
  });
  return { heard, done };
}

/** An SDK client, and what it was told of its user's topic. */
async function arrived(client: Centrifuge): Promise<Awaited<ReturnType<typeof next<'subscribed'>>>> {
  const told = next(client, 'subscribed');
  client.connect();
  return told;
}

describe.each(Object.entries(PLACES))('What is sent to a user, %s,', (_where, boot) => {
  it('arrives once and in order at a client that was away for a while', async () => {
    const nodes = await boot(KEPT);
    const client = sdkOf(nodes[0]!, 'ann');
    await arrived(client);
    const { heard, done } = numbersOf(client, 6);
    await tell(nodes.at(-1)!, 'ann', 1, 2);
    client.disconnect();
    await tell(nodes[0]!, 'ann', 3, 4, 5);
    expect(await arrived(client)).toMatchObject({
      channel: '#user:ann',
      wasRecovering: true,
      recovered: true,
      hasRecoveredPublications: true,
    });
    await tell(nodes.at(-1)!, 'ann', 6);
    await done;
    expect(heard).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is lost to a client that is away when nothing is kept', async () => {
    const nodes = await boot(LOST);
    const client = await connected(sdkOf(nodes[0]!, 'ann'));
    const before = numbersOf(client, 2);
    const { heard, done } = numbersOf(client, 6);
    await tell(nodes.at(-1)!, 'ann', 1, 2);
    await before.done;
    client.disconnect();
    await tell(nodes[0]!, 'ann', 3, 4, 5);
    await connected(client);
    await tell(nodes.at(-1)!, 'ann', 6);
    await done;
    expect(heard).toEqual([1, 2, 6]);
  });

  it('arrives as a publication with its place', async () => {
    const nodes = await boot(KEPT);
    const client = sdkOf(nodes[0]!, 'ann');
    expect(await arrived(client)).toMatchObject({
      channel: '#user:ann',
      recoverable: true,
      positioned: true,
      wasRecovering: false,
    });
    const publication = next(client, 'publication');
    const { epoch, offset } = await nodes.at(-1)!.realtime.sendToUser('ann', { type: 'hi', payload: { id: 7 } });
    expect([epoch, offset]).toEqual([expect.any(String), 1]);
    expect(await publication).toMatchObject({
      channel: '#user:ann',
      offset: 1,
      data: { type: 'hi', payload: { id: 7 }, timestamp: expect.any(String) },
    });
  });

  it('reaches each of the user’s connections once, whatever it speaks, and the report counts them', async () => {
    const nodes = await boot(KEPT);
    const [first, last] = [nodes[0]!, nodes.at(-1)!];
    const clients = [sdkOf(first, 'ann'), sdkOf(last, 'ann')];
    for (const client of clients) await arrived(client);
    const plain = [await first.connectAs('ann'), await last.connectAs('ann')];
    const stranger = await first.connectAs('bob');
    const heard = clients.map((client) => numbersOf(client, 2));
    const report = await last.realtime.sendToUser('ann', { type: 'number', payload: 1 });
    await tell(first, 'ann', 2);
    for (const { done } of heard) await done;
    expect(report).toMatchObject({ recipients: 4, nodes: nodes.length, complete: true });
    expect(heard.map((each) => each.heard)).toEqual([
      [1, 2],
      [1, 2],
    ]);
    for (const each of plain) {
      const message = { type: 'number', timestamp: expect.any(String) };
      expect(await receivedBy(each)).toEqual([1, 2].map((payload) => ({ ...message, payload })));
    }
    expect(await receivedBy(stranger)).toEqual([]);
  });

  it('is told to be lost where it is not kept any more, and the client goes on', async () => {
    const nodes = await boot(KEPT);
    const client = sdkOf(nodes[0]!, 'ann');
    await arrived(client);
    await tell(nodes[0]!, 'ann', 1);
    client.disconnect();
    await tell(nodes.at(-1)!, 'ann', 2, 3, 4, 5, 6, 7, 8);
    const { heard, done } = numbersOf(client, 9);
    expect(await arrived(client)).toMatchObject({
      wasRecovering: true,
      recovered: false,
      streamPosition: { offset: 8, epoch: expect.any(String) },
    });
    await tell(nodes.at(-1)!, 'ann', 9);
    await done;
    expect(heard).toEqual([9]);
  });
});

it('A client that comes back to another node is sent there what it has missed', async () => {
  const [first, second] = await PLACES['over two nodes']!(KEPT);
  let node = first!;
  /** Comes out where a load balancer would send it. */
  class BalancedSocket extends WebSocket {
    constructor(_url: string, protocols?: string) {
      super(`${node.url.replace('http', 'ws')}${PATH}`, protocols);
    }
  }
  const client = sdkFor(node, { token: testToken('ann'), websocket: BalancedSocket });
  await arrived(client);
  const { heard, done } = numbersOf(client, 5);
  await tell(second!, 'ann', 1, 2);
  node = second!;
  const back = next(client, 'subscribed');
  await first!.close();
  await tell(second!, 'ann', 3, 4);
  expect(await back).toMatchObject({ wasRecovering: true, recovered: true });
  await tell(second!, 'ann', 5);
  await done;
  expect(heard).toEqual([1, 2, 3, 4, 5]);
});

it('What is sent while a connection comes back arrives once, behind what it has missed', async () => {
  const app = await start();
  await arrived(sdkOf(app, 'ann'));
  const { epoch } = await app.realtime.sendToUser('ann', { type: 'number', payload: 1 });
  const line = await LineClient.to(app);
  let join = (): void => undefined;
  const isJoining = new Promise<void>((joining) => {
    const joined = new Promise<void>((resolve) => (join = resolve));
    vi.spyOn(app.app.get(MessageBus), 'join').mockImplementationOnce(() => (joining(), joined));
  });
  const subs = { '#user:ann': { recover: true, epoch, offset: 0 } };
  line.send({ id: 1, connect: { token: testToken('ann', { roles: ['of nobody else'] }), subs } });
  await isJoining;
  await tell(app, 'ann', 2);
  join();
  const { recovered, publications } = (await line.reply(1))['connect'].subs['#user:ann'];
  await tell(app, 'ann', 3);
  const numbers = publications.map(({ data }: Line) => data.payload);
  while (numbers.length < 3) numbers.push((await line.push('pub'))['pub'].data.payload);
  expect([recovered, numbers]).toEqual([true, [1, 2, 3]]);
});

it.each([
  ['fits into half of what may wait for a connection', 400],
  ['is more than may wait for a connection', 1_500],
])('What a client has missed is sent to it when it %s', async (_what, length) => {
  const centrifuge = { personalTopics: { size: 20, ttlMs: 60_000 } };
  const app = await start({ centrifuge, limits: { sendQueueBytes: 10_240 } });
  const client = sdkOf(app, 'ann');
  await arrived(client);
  client.disconnect();
  for (let n = 0; n < 10; n++) await app.realtime.sendToUser('ann', { type: 'entry', payload: 'x'.repeat(length) });
  const { heard, done } = numbersOf(client, 1);
  expect(await arrived(client)).toMatchObject({ wasRecovering: true, recovered: true });
  await tell(app, 'ann', 1);
  await done;
  expect(heard).toHaveLength(11);
});

it('A message that cannot be kept is not sent, and its sender is told', async () => {
  const own = await startRedis();
  const app = await start(KEPT, { backend: redisBackend({ url: own.url }) });
  const plain = await app.connectAs('ann');
  await own.stop();
  await expect(tell(app, 'ann', 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await app.realtime.to(user('ann'), user('bob')).send({ type: 'number', payload: 2 });
  expect(await plain.next('number')).toMatchObject({ payload: 2 });
});

describe('The topic of a user’s own', () => {
  it('brings no other user what was sent, not even with the place of the other', async () => {
    const app = await start();
    const bob = await LineClient.to(app);
    await tell(app, 'ann', 1, 2);
    const { epoch } = await app.realtime.sendToUser('ann', { type: 'number', payload: 3 });
    const place = { recover: true, epoch, offset: 0 };
    bob.send({ id: 1, connect: { token: testToken('bob'), subs: { '#user:ann': place, '#user:bob': place } } });
    const { connect } = await bob.reply(1);
    expect(connect.subs).toEqual({
      '#user:bob': {
        recoverable: true,
        positioned: true,
        epoch: expect.not.stringMatching(epoch!),
        was_recovering: true,
      },
    });
    await tell(app, 'ann', 4);
    await tell(app, 'bob', 5);
    expect(await bob.push('pub')).toMatchObject({ channel: '#user:bob', pub: { data: { payload: 5 } } });
    expect(bob.client.pending).toEqual([]);
  });

  it.each(['a "quoted" id', 'a:b c', '__proto__', 'ünal \u{1f600}'])(
    'is there for any id of a user: %j',
    async (id) => {
      const app = await start();
      const client = sdkOf(app, id);
      expect((await arrived(client)).channel).toBe(`#user:${id}`);
      const publication = next(client, 'publication');
      await tell(app, id, 1);
      expect(await publication).toMatchObject({ channel: `#user:${id}`, data: { payload: 1 } });
    },
  );

  it('is not there without the option, nor for plain clients', async () => {
    const [kept, lost] = [await start(KEPT), await start(LOST)];
    const line = await LineClient.to(lost);
    line.send({ id: 1, connect: { token: testToken('ann') } });
    expect((await line.reply(1))['connect']).not.toHaveProperty('subs');
    const plain = await kept.connect({ token: testToken('ann') });
    expect((await plain.next('realtime:welcome')).payload).not.toHaveProperty('personal');
    const message = { type: 'number', payload: 1, timestamp: expect.any(String) };
    await tell(kept, 'ann', 1);
    expect(await receivedBy(plain)).toEqual([message]);
  });

  it('is no topic of the application: it counts as none, and no handler hears of it', async () => {
    const app = await start({ ...KEPT, limits: { maxTopicsPerConnection: 1 } });
    const events: string[] = [];
    app.realtime.events$.subscribe(({ type }) => events.push(type));
    const client = sdkOf(app, 'ann');
    await arrived(client);
    const [me] = await app.realtime.connectionsOf('ann');
    expect(await app.realtime.topicsOf(me!.id)).toEqual([]);
    expect(await app.realtime.counts()).toMatchObject({ topics: 0, subscriptions: 0 });
    const subscription = client.newSubscription('room:1');
    const done = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await done;
    expect(events).toEqual(['connected', 'subscribed']);
  });

  it('brings no message that has exceptions, which those get for whom it is', async () => {
    const app = await start();
    const [left, told] = [sdkOf(app, 'ann'), sdkOf(app, 'ann')];
    await arrived(left);
    const [me] = await app.realtime.connectionsOf('ann');
    await arrived(told);
    const message = next(told, 'message');
    const heard = numbersOf(left, 2);
    const send = app.realtime.to(user('ann')).except(connection(me!.id));
    const report = await send.send({ type: 'number', payload: 1 });
    expect(await message).toMatchObject({ data: { payload: 1 } });
    expect(report).toEqual({ recipients: 1, nodes: 1, complete: true });
    expect(await app.realtime.sendToUser('ann', { type: 'number', payload: 2 })).toMatchObject({ offset: 1 });
    await heard.done;
    expect(heard.heard).toEqual([2]);
  });

  it('brings nothing that goes to the user among others, which comes as a message', async () => {
    const app = await start();
    const client = sdkOf(app, 'ann');
    await arrived(client);
    const message = next(client, 'message');
    const report = await app.realtime.to(user('ann'), user('bob')).send({ type: 'number', payload: 1 });
    expect([await message, report]).toEqual([
      { data: expect.objectContaining({ payload: 1 }) },
      { recipients: 1, nodes: 1, complete: true },
    ]);
  });

  it('begins again by a new connection when something was missed on the way to it', async () => {
    const app = await start();
    const client = sdkOf(app, 'ann');
    await arrived(client);
    const plain = await app.connectAs('ann');
    const { epoch } = await app.realtime.sendToUser('ann', { type: 'number', payload: 1 });
    const left = next(client, 'connecting');
    const back = next(client, 'subscribed');
    app.app.get(LocalDelivery).missed('#user:ann', { epoch: epoch!, offset: 1 }, []);
    expect((await left).code).toBe(3010);
    expect(await back).toMatchObject({ wasRecovering: true, recovered: true });
    expect((await receivedBy(plain)).map(({ type }) => type)).toEqual(['number']);
  });

  it('ends with the last connection that is in it', async () => {
    const app = await start();
    const plain = await app.connectAs('ann');
    const client = sdkOf(app, 'ann');
    await arrived(client);
    const gone = new Promise<void>((resolve) => {
      app.realtime.events$.subscribe(({ type }) => type === 'disconnected' && resolve());
    });
    client.disconnect();
    await gone;
    expect(await app.realtime.sendToUser('ann', { type: 'number', payload: 1 })).toMatchObject({ recipients: 1 });
    expect(await plain.next('number')).toMatchObject({ payload: 1 });
  });
});

describe.each([
  ['one’s own', '#user:ann'],
  ['somebody else’s', '#user:bob'],
])('To clients %s is closed', (_whose, channel) => {
  it.each([
    ['subscribe', { subscribe: { channel } }],
    ['subscribe, with a token for it', { subscribe: { channel, token: testToken('ann', { channel }) } }],
    ['renew a token', { sub_refresh: { channel, token: testToken('ann', { channel }) } }],
    ['publish', { publish: { channel, data: { type: 'echo' } } }],
    ['call', { rpc: { method: 'echo', data: { topic: channel } } }],
    ['read its history', { history: { channel, limit: 10 } }],
    ['ask who is there', { presence: { channel } }],
    ['count who is there', { presence_stats: { channel } }],
  ])('to %s', async (_what, command) => {
    const app = await start();
    await tell(app, 'ann', 1);
    const client = await (await LineClient.to(app)).connect(testToken('ann'));
    client.send({ id: 2, ...command });
    expect(await client.reply(2)).toEqual({ id: 2, error: { code: 107, message: expect.any(String) } });
    await tell(app, 'ann', 2);
    expect(await client.push('pub')).toMatchObject({ channel: '#user:ann', pub: { data: { payload: 2 } } });
  });

  it('to unsubscribe, which changes nothing', async () => {
    const app = await start();
    const client = await (await LineClient.to(app)).connect(testToken('ann'));
    client.send({ id: 2, unsubscribe: { channel } });
    expect(await client.reply(2)).toEqual({ id: 2, unsubscribe: {} });
    await tell(app, 'ann', 1);
    expect(await client.push('pub')).toMatchObject({ channel: '#user:ann', pub: { data: { payload: 1 } } });
  });

  it.each([
    ['subscribe', {}],
    ['unsubscribe', {}],
    ['message', { type: 'echo' }],
    ['history', {}],
    ['presence', {}],
  ])('to %s in the plain protocol', async (action, fields) => {
    const app = await start();
    const client = await app.connectAs('ann');
    client.send({ action, id: 1, topic: channel, ...fields });
    const { payload } = await client.next('realtime:error');
    expect(payload).toMatchObject({ code: 'VALIDATION_FAILED' });
  });
});

it.each(['publish', 'history', 'usersIn', 'subscribersOf'] as const)(
  'The application names no topic of a user’s own either: %s',
  async (method) => {
    const { realtime } = await start();
    await expect(realtime[method]('#user:ann', { type: 'hi' })).rejects.toThrow('topic');
  },
);
