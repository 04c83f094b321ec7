import { RealtimeModule, user, type JwtClaims, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';

const phone = testToken('ann', { jti: 'phone' });
const laptop = testToken('ann', { jti: 'laptop' });

/** An application whose list of revoked tokens may change. */
async function listenWith(isRevoked: NonNullable<RealtimeOptions['isRevoked']>): Promise<ListeningApp> {
  return listen({ imports: [RealtimeModule.forRoot({ isRevoked, providers: [TEST_TOKENS] })] });
}

function revocations(): { readonly isRevoked: (claims: JwtClaims) => boolean; readonly list: Set<unknown> } {
  const list = new Set<unknown>();
  return { list, isRevoked: ({ jti }) => list.has(jti) };
}

describe('A token that was revoked', () => {
  it('opens no connection', async () => {
    const { isRevoked, list } = revocations();
    const app = await listenWith(isRevoked);
    list.add('phone');
    await expect(app.connect({ token: phone })).rejects.toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED', message: 'The token has been revoked.' },
    });
  });

  it('renews no connection, which stays', async () => {
    const { isRevoked, list } = revocations();
    const app = await listenWith(isRevoked);
    const client = await app.connect({ token: laptop });
    list.add('phone');
    expect(await client.request({ action: 'auth', token: phone })).toMatchObject({
      payload: { code: 'UNAUTHENTICATED' },
    });
    expect(await client.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it('leaves its open connection alone until somebody asks', async () => {
    const { isRevoked, list } = revocations();
    const app = await listenWith(isRevoked);
    const client = await app.connect({ token: phone });
    list.add('phone');
    expect(await client.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('Asking about the connections of a user', () => {
  it('ends the one whose token was revoked, and not the other', async () => {
    const { isRevoked, list } = revocations();
    const app = await listenWith(isRevoked);
    const [revoked, good] = [await app.connect({ token: phone }), await app.connect({ token: laptop })];
    list.add('phone');
    expect(await app.realtime.revalidate(user('ann'))).toMatchObject({ recipients: 2 });
    expect(await revoked.nextClose()).toEqual({ code: 3500, reason: 'the token has been revoked' });
    expect(await good.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it('goes by the newest token of each', async () => {
    const { isRevoked, list } = revocations();
    const app = await listenWith(isRevoked);
    const client = await app.connect({ token: phone });
    await client.request({ action: 'auth', token: laptop });
    list.add('laptop');
    await app.realtime.revalidate(user('ann'));
    expect(await client.nextClose()).toMatchObject({ code: 3500 });
  });

  it('leaves a connection alone that has renewed its token before the answer came', async () => {
    let answer: ((isRevoked: boolean) => void) | undefined;
    let isAsking = false;
    const app = await listenWith(({ jti }) => {
      if (!isAsking || jti !== 'phone') return false;
      return new Promise((resolve) => (answer = resolve));
    });
    const client = await app.connect({ token: phone });
    isAsking = true;
    await app.realtime.revalidate(user('ann'));
    await client.request({ action: 'auth', token: laptop });
    answer!(true);
    expect(await client.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it('ends nobody while the hook fails', async () => {
    let isBroken = false;
    const app = await listenWith(() => {
      if (isBroken) throw new Error('the list is away');
      return false;
    });
    const client = await app.connect({ token: phone });
    isBroken = true;
    await app.realtime.revalidate(user('ann'));
    expect(await client.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });
});

describe('While it cannot be told whether a token was revoked', () => {
  it('a client is asked to come back later', async () => {
    const app = await listenWith(() => Promise.reject(new Error('the list is away')));
    await expect(app.connect({ token: phone })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });
});
