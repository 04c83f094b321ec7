import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge } from 'centrifuge';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connected, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';
import { LineClient, startRooms } from './rooms.js';

const ann = testToken('ann');

async function inRoom(): Promise<Centrifuge> {
  const client = await connected(sdkFor(await startRooms(), { token: ann }));
  await subscribed(client, 'room:1');
  return client;
}

describe('A remote call', () => {
  it.each([[{ a: [1, null] }], ['text'], [0], [null], [false]])(
    'returns what the handler returns: %j',
    async (payload) => {
      expect(await (await inRoom()).rpc('echo', { topic: 'room:1', payload })).toEqual({ data: payload });
    },
  );

  it('returns nothing when the handler does', async () => {
    expect(await (await inRoom()).rpc('say', { topic: 'room:1', payload: 'hi' })).toEqual({ data: undefined });
  });

  it('returns the last value of an Observable', async () => {
    expect(await (await inRoom()).rpc('count', { topic: 'room:1' })).toEqual({ data: 3 });
  });

  it('returns nothing when an Observable is ended with the subscription', async () => {
    const client = await LineClient.to(await startRooms());
    client.send(
      { id: 1, connect: { token: ann } },
      { id: 2, subscribe: { channel: 'room:1' } },
      { id: 3, rpc: { method: 'wait', data: { topic: 'room:1' } } },
      { id: 4, unsubscribe: { channel: 'room:1' } },
    );
    expect([await client.reply(3), await client.reply(4)]).toEqual([
      { id: 3, rpc: {} },
      { id: 4, unsubscribe: {} },
    ]);
  });

  it.each([
    ['unprocessable', { code: 422, message: 'text is empty' }],
    ['conflict', { code: 409 }],
    ['forbidden', { code: 403, message: 'Read only' }],
    ['unavailable', { code: 503, message: 'Come back later', temporary: true }],
    ['ours', { code: 111, message: 'Not so fast', temporary: true }],
    ['anyhow', { code: 100, temporary: true }],
  ])('that fails tells what the handler threw: %s', async (payload, error) => {
    const client = await inRoom();
    await expect(client.rpc('fail', { topic: 'room:1', payload })).rejects.toMatchObject(error);
  });

  it('tells nothing of an exception that is not meant for clients', async () => {
    const failure = (await inRoom()).rpc('fail', { topic: 'room:1' });
    await expect(failure).rejects.toSatisfy((error) => !JSON.stringify(error).includes('password'));
  });

  it.each([
    ['there is no such handler', 'dance', { topic: 'room:1' }, 104],
    ['there is no such topic', 'echo', { topic: 'nowhere' }, 102],
    ['the topic is not subscribed to', 'echo', { topic: 'room:2' }, 103],
    ['the data names no topic', 'echo', { payload: 1 }, 108],
    ['there is no data', 'echo', undefined, 108],
    ['there is no method', '', { topic: 'room:1' }, 107],
    ['the topic has no name that a topic may have', 'echo', { topic: 'room 1' }, 107],
  ])('is refused when %s', async (_why, method, data, code) => {
    await expect((await inRoom()).rpc(method, data)).rejects.toMatchObject({ code });
  });
});

describe('A publication by a client', () => {
  it('goes to the handler of its type, and is confirmed', async () => {
    const client = await connected(sdkFor(await startRooms(), { token: ann }));
    const subscription = await subscribed(client, 'room:1');
    const publication = nextOf(subscription, 'publication');
    expect(await subscription.publish({ type: 'say', payload: 'hello' })).toEqual({});
    expect((await publication).data).toMatchObject({ type: 'said', payload: { from: 'ann', text: 'hello' } });
  });

  it('is confirmed without what the handler returns', async () => {
    expect(await (await inRoom()).publish('room:1', { type: 'echo', payload: 1 })).toEqual({});
  });

  it.each([
    ['no handler takes its type', { type: 'dance' }, 108],
    ['its data has no type', { payload: 1 }, 107],
    ['its data is no object', 'hello', 107],
  ])('is refused when %s', async (_why, data, code) => {
    await expect((await inRoom()).publish('room:1', data)).rejects.toMatchObject({ code });
  });
});

describe('What a client sends without wanting an answer', () => {
  it('goes to the handler', async () => {
    const client = await connected(sdkFor(await startRooms(), { token: ann }));
    const subscription = await subscribed(client, 'room:1');
    const publication = nextOf(subscription, 'publication');
    await client.send({ topic: 'room:1', type: 'say', payload: 'hello' });
    expect((await publication).data).toMatchObject({ type: 'said', payload: { from: 'ann', text: 'hello' } });
  });

  it('is not answered when it fails', async () => {
    const client = await LineClient.to(await startRooms());
    client.send(
      { id: 1, connect: { token: ann } },
      { send: { data: { topic: 'room:1', type: 'echo' } } },
      { id: 2, rpc: { method: 'echo', data: { topic: 'room:2' } } },
    );
    await client.reply(2);
    expect(client.client.pending.map((line) => (line as { id?: unknown }).id)).toEqual([1]);
  });
});

it('too many commands are refused for a while', async () => {
  const limits = { commandsPerSecond: 1, commandBurst: 1, maxTopicsPerConnection: 1 };
  const client = await LineClient.to(await startRooms({ limits }));
  const echo = { method: 'echo', data: { topic: 'room:1' } };
  client.send({ id: 1, connect: { token: ann } }, { id: 2, rpc: echo }, { id: 3, rpc: echo });
  expect(await client.reply(3)).toMatchObject({ id: 3, error: { code: 111, temporary: true } });
});

it('clients that go on in spite of it are sent away, to come back', async () => {
  const limits = { commandsPerSecond: 20, commandBurst: 1, maxTopicsPerConnection: 1, maxViolationsPerMinute: 1 };
  const client = await LineClient.to(await startRooms({ limits }));
  client.send({ id: 1, connect: { token: ann } });
  await client.reply(1);
  let id = 1;
  const calls = () => [1, 2, 3].map(() => ({ id: ++id, rpc: { method: 'echo', data: { topic: 'room:1' } } }));
  const flood = setInterval(() => client.send(...calls()), 5);
  onTestFinished(() => clearInterval(flood));
  expect((await client.client.nextClose()).code).toBe(3013);
});
