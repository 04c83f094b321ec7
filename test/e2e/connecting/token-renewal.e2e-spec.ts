import { Injectable, UseGuards } from '@nestjs/common';
import {
  JwtVerifier,
  OnMessage,
  OnSubscribe,
  RealtimeAuthGuard,
  RealtimeModule,
  RequireRoles,
  TopicGateway,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';

@Injectable()
@UseGuards(RealtimeAuthGuard)
@TopicGateway('room:{id}')
class Rooms {
  @OnSubscribe() join() {
    return true;
  }

  @RequireRoles('admin')
  @OnMessage('close', { requireSubscription: false })
  close() {
    return 'closed';
  }
}

interface Connected {
  readonly app: ListeningApp;
  readonly client: TestClient;
}

/** Ann, a guest, is connected. */
async function connected(options: RealtimeOptions = {}): Promise<Connected> {
  const realtime = RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] });
  const app = await listen({ imports: [realtime], providers: [Rooms] });
  const client = await app.connect({ token: testToken('ann', { roles: ['guest'] }) });
  await client.next('realtime:welcome');
  return { app, client };
}

const admin = testToken('ann', { roles: ['admin'], permissions: ['close'] });
const expired = testToken('ann', { exp: Math.floor(Date.now() / 1000) - 3_600 });
const renew = (client: TestClient, token: string) => client.request({ action: 'auth', token });

describe('A client that renews its token', () => {
  it('is told until when the new one is good', async () => {
    const { client } = await connected();
    const exp = Math.floor(Date.now() / 1000) + 7_200;
    const answer = await renew(client, testToken('ann', { exp }));
    expect(answer).toMatchObject({
      type: 'realtime:authenticated',
      payload: { userId: 'ann', expiresAt: new Date(exp * 1000).toISOString() },
    });
  });

  it('gets no second welcome', async () => {
    const { client } = await connected();
    await renew(client, admin);
    await client.settled();
    expect(client.pending).toEqual([]);
  });

  it('is reached by what is sent to a role that it has won', async () => {
    const { app, client } = await connected();
    await renew(client, admin);
    expect(await app.realtime.sendToRole('admin', { type: 'hello' })).toMatchObject({ recipients: 1 });
  });

  it('is no longer reached by what is sent to a role that it has lost', async () => {
    const { app, client } = await connected();
    await renew(client, admin);
    expect(await app.realtime.sendToRole('guest', { type: 'hello' })).toMatchObject({ recipients: 0 });
  });

  it('keeps its connection', async () => {
    const { app, client } = await connected();
    const [before] = await app.realtime.connectionsOf('ann');
    await renew(client, admin);
    const [after] = await app.realtime.connectionsOf('ann');
    expect(after).toMatchObject({ id: before!.id, createdAt: before!.createdAt });
  });

  it('has the permissions of the new token', async () => {
    const { app, client } = await connected();
    await renew(client, admin);
    expect(await app.realtime.connectionsOf('ann')).toMatchObject([{ permissions: new Set(['close']) }]);
  });

  it('keeps its subscriptions', async () => {
    const { app, client } = await connected();
    await client.request({ action: 'subscribe', topic: 'room:1' });
    await renew(client, admin);
    expect(await app.realtime.publish('room:1', { type: 'hello' })).toMatchObject({ recipients: 1 });
  });

  it('may do what its new role allows', async () => {
    const { client } = await connected();
    const close = { action: 'message', topic: 'room:1', type: 'close' };
    const before = await client.request(close);
    await renew(client, admin);
    const after = await client.request(close);
    expect([before.payload.code, after.payload]).toEqual(['FORBIDDEN', 'closed']);
  });
});

describe.each([
  ['of another user', testToken('bob', { roles: ['guest'] }), 'FORBIDDEN'],
  ['that has expired', expired, 'TOKEN_EXPIRED'],
  ['that does not hold', 'broken', 'UNAUTHENTICATED'],
  ['without a role that connections need', testToken('ann', { roles: ['admin'] }), 'FORBIDDEN'],
])('A client that sends a token %s', (_which, token, code) => {
  const options = { authorize: { roles: ['guest'] } };

  it(`is told ${code}`, async () => {
    const { client } = await connected(options);
    const answer = await renew(client, token);
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code, action: 'auth' } });
  });

  it('stays connected', async () => {
    const { client } = await connected(options);
    await renew(client, token);
    expect((await client.request({ action: 'ping' })).type).toBe('realtime:pong');
  });

  it('keeps the user and the roles it had', async () => {
    const { app, client } = await connected(options);
    await renew(client, token);
    expect(await app.realtime.connectionsOf('ann')).toMatchObject([{ roles: new Set(['guest']) }]);
  });
});

describe('A client that sends a second token while the first is being verified', () => {
  it('is told to wait', async () => {
    const verifier = new HeldVerifier();
    const verify = (token: string) =>
      token === admin ? verifier.verify(token) : new TEST_TOKENS.useClass().verify(token);
    const realtime = RealtimeModule.forRoot({ providers: [{ provide: JwtVerifier, useValue: { verify } }] });
    const app = await listen({ imports: [realtime] });
    const client = await app.connect({ token: testToken('ann') });
    client.send({ action: 'auth', id: 'first', token: admin });
    expect((await renew(client, testToken('ann'))).payload.code).toBe('RATE_LIMITED');
    verifier.release();
    expect((await client.next((frame) => frame.id === 'first')).type).toBe('realtime:authenticated');
  });
});
