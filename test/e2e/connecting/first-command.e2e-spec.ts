import { Injectable } from '@nestjs/common';
import {
  JwtVerifier,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeModule,
  TopicGateway,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';

@Injectable()
@TopicGateway('room:{id}')
class Rooms {
  @OnSubscribe() join() {
    return true;
  }

  @OnMessage('echo') echo(@MessageBody() payload: unknown) {
    return payload;
  }
}

function listenWith(options: RealtimeOptions = {}, verifier: object = TEST_TOKENS): Promise<ListeningApp> {
  const token = { firstCommand: true };
  const realtime = RealtimeModule.forRoot({ token, ...options, providers: [verifier as typeof TEST_TOKENS] });
  return listen({ imports: [realtime], providers: [Rooms] });
}

async function connected(options?: RealtimeOptions): Promise<TestClient> {
  return (await listenWith(options)).connect();
}

const ann = testToken('ann');
const anHourAgo = Math.floor(Date.now() / 1000) - 3_600;

describe('A good token as the first command', () => {
  it('is answered with realtime:authenticated', async () => {
    const client = await connected();
    const answer = await client.request({ action: 'auth', token: ann });
    expect(answer).toMatchObject({ type: 'realtime:authenticated', payload: { userId: 'ann' } });
  });

  it('is followed by the welcome', async () => {
    const client = await connected();
    client.send({ action: 'auth', id: 1, token: ann });
    await client.next('realtime:welcome');
    expect(client.pending.map(({ type }) => type)).toEqual(['realtime:authenticated']);
  });

  it('without an id is followed by the welcome alone', async () => {
    const client = await connected();
    client.send({ action: 'auth', token: ann });
    expect((await client.next()).type).toBe('realtime:welcome');
  });

  it('makes the user reachable', async () => {
    const app = await listenWith();
    const client = await app.connect();
    client.send({ action: 'auth', token: ann });
    await client.next('realtime:welcome');
    expect(await app.realtime.sendToUser('ann', { type: 'hello' })).toMatchObject({ recipients: 1 });
  });

  it('is not needed by a client that sent its token when it connected', async () => {
    const app = await listenWith();
    const client = await app.connect({ token: ann });
    expect((await client.next()).type).toBe('realtime:welcome');
  });
});

describe('Commands sent right behind the token', () => {
  it('are answered in their order, after the welcome', async () => {
    const client = await connected();
    client.send({ action: 'auth', id: 1, token: ann });
    client.send({ action: 'subscribe', id: 2, topic: 'room:1' });
    client.send({ action: 'message', id: 3, topic: 'room:1', type: 'echo', payload: 'hi' });
    client.send({ action: 'unsubscribe', id: 4, topic: 'room:1' });
    await client.next((frame) => frame.id === 4);
    expect(client.pending.map(({ type }) => type)).toEqual([
      'realtime:authenticated',
      'realtime:welcome',
      'realtime:subscribed',
      'realtime:reply',
    ]);
  });

  it('wait while the token is being verified', async () => {
    const verifier = new HeldVerifier();
    const app = await listenWith({}, { provide: JwtVerifier, useValue: verifier });
    const client = await app.connect();
    client.send({ action: 'auth', id: 1, token: ann });
    client.send({ action: 'subscribe', id: 2, topic: 'room:1' });
    client.send({ action: 'ping', id: 3 });
    await verifier.begun;
    expect(await app.realtime.counts()).toMatchObject({ connections: 0, subscriptions: 0 });
    verifier.release();
    expect((await client.next((frame) => frame.id === 2)).type).toBe('realtime:subscribed');
  });

  it('are not carried out when the token is bad', async () => {
    const client = await connected();
    client.send({ action: 'auth', id: 1, token: 'broken' });
    client.send({ action: 'subscribe', id: 2, topic: 'room:1' });
    await client.nextClose();
    expect(client.pending.map(({ id }) => id)).toEqual([1]);
  });
});

describe.each([
  ['a subscription', { action: 'subscribe', id: 7, topic: 'room:1' }, 7],
  ['a ping', { action: 'ping', id: 7 }, 7],
  ['a frame that is no JSON', 'hello', undefined],
])('In place of the token %s', (_what, frame, id) => {
  it('is answered with UNAUTHENTICATED', async () => {
    const client = await connected();
    client.send(frame);
    expect(await client.next('realtime:error')).toMatchObject({ payload: { code: 'UNAUTHENTICATED' } });
  });

  it('is answered with the id it had', async () => {
    const client = await connected();
    client.send(frame);
    expect((await client.next('realtime:error')).id).toBe(id);
  });

  it('closes the socket for good', async () => {
    const client = await connected();
    client.send(frame);
    expect((await client.nextClose()).code).toBe(3501);
  });
});

describe('As the first command', () => {
  it('a bad token is answered with UNAUTHENTICATED and its id', async () => {
    const client = await connected();
    const answer = await client.request({ action: 'auth', token: 'broken' });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'UNAUTHENTICATED', action: 'auth' } });
  });

  it('a bad token closes the socket for good', async () => {
    const client = await connected();
    client.send({ action: 'auth', token: 'broken' });
    expect(await client.nextClose()).toEqual({ code: 3500, reason: 'invalid token' });
  });

  it('an expired token is answered with TOKEN_EXPIRED', async () => {
    const client = await connected();
    const answer = await client.request({ action: 'auth', token: testToken('ann', { exp: anHourAgo }) });
    expect(answer.payload.code).toBe('TOKEN_EXPIRED');
  });

  it('an expired token closes the socket until there is a new one', async () => {
    const client = await connected();
    client.send({ action: 'auth', token: testToken('ann', { exp: anHourAgo }) });
    expect((await client.nextClose()).code).toBe(3005);
  });

  it('the token of a user without a role that is needed closes the socket for good', async () => {
    const client = await connected({ authorize: { roles: ['admin'] } });
    client.send({ action: 'auth', token: ann });
    expect((await client.nextClose()).code).toBe(3507);
  });

  it('a token that cannot be verified in time closes the socket until later', async () => {
    const useValue = new HeldVerifier();
    const app = await listenWith({ limits: { authTimeoutMs: 50 } }, { provide: JwtVerifier, useValue });
    const client = await app.connect();
    client.send({ action: 'auth', token: ann });
    expect((await client.nextClose()).code).toBe(3004);
  });
});

describe('A client that sends no token', () => {
  it('is closed when its time is over', async () => {
    const client = await connected({ limits: { authTimeoutMs: 50 }, heartbeat: { intervalMs: 20 } });
    expect(await client.nextClose()).toEqual({ code: 3502, reason: 'did not authenticate in time' });
  });

  it('is reached by nothing', async () => {
    const app = await listenWith();
    await app.connect();
    expect(await app.realtime.broadcast({ type: 'hello' })).toMatchObject({ recipients: 0 });
  });

  it('counts as no connection', async () => {
    const app = await listenWith();
    await app.connect();
    expect(await app.realtime.counts()).toMatchObject({ connections: 0 });
  });
});
