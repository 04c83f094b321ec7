import { user, type JwtClaims, type RealtimeOptions } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription, SubscriptionOptions } from 'centrifuge';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TopicTokens } from '../../../lib/gateway/auth/topic-tokens.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, nextOf, sdkFor } from '../../helpers/sdk.js';
import { LineClient, startRooms } from './rooms.js';

const HOUR_MS = 3_600_000;
const ann = testToken('ann', { exp: Math.floor(Date.now() / 1000) + 86_400 });

/** A token of a user's own for a topic; good for an hour. */
function tokenFor(channel: string, claims: JwtClaims = {}, userId = 'ann'): string {
  return testToken(userId, { channel, ...claims });
}

async function start(
  options: RealtimeOptions = {},
): Promise<{ app: RealtimeApp; client: Centrifuge; clock: ManualClock }> {
  const clock = new ManualClock();
  const heartbeat = { intervalMs: 20, timeoutMs: 10_000 };
  const app = await startRooms({ heartbeat, ...options }, { ports: [{ provide: Clock, useValue: clock }] });
  return { app, client: await connected(sdkFor(app, { token: ann })), clock };
}

function subscribe(client: Centrifuge, channel: string, options: Partial<SubscriptionOptions>): Subscription {
  const subscription = client.newSubscription(channel, { minResubscribeDelay: 5, maxResubscribeDelay: 20, ...options });
  subscription.subscribe();
  return subscription;
}

describe('A token for a topic', () => {
  it('opens a topic that nobody else may subscribe to', async () => {
    const { client } = await start();
    await nextOf(subscribe(client, 'vault:1', { token: tokenFor('vault:1') }), 'subscribed');
  });

  it.each([
    ['is for another topic', tokenFor('vault:2')],
    ['is for another user', tokenFor('vault:1', {}, 'bob')],
    ['is one to connect with', ann],
    ['does not hold', 'broken'],
  ])('opens nothing when it %s, and the connection stays', async (_why, token) => {
    const { client } = await start();
    const ended = await nextOf(subscribe(client, 'vault:1', { token }), 'unsubscribed');
    expect([ended, client.state]).toEqual([expect.objectContaining({ code: 103 }), 'connected']);
  });

  it('for another topic would open this one if it was only verified', async () => {
    const good = { ok: true, expiresAt: new Date(Date.now() + HOUR_MS) } as const;
    const judge = vi.spyOn(TopicTokens.prototype, 'judge').mockResolvedValue(good);
    onTestFinished(() => judge.mockRestore());
    const { client } = await start();
    await nextOf(subscribe(client, 'vault:1', { token: tokenFor('vault:2') }), 'subscribed');
  });

  it('does not stand in for a handler that says no', async () => {
    const { client } = await start();
    const options = { token: tokenFor('room:1'), data: 'no' };
    expect(await nextOf(subscribe(client, 'room:1', options), 'unsubscribed')).toMatchObject({ code: 103 });
  });

  it('that a handler has refused does not end what the server begins', async () => {
    const { app, client, clock } = await start();
    await nextOf(subscribe(client, 'room:1', { token: tokenFor('room:1'), data: 'no' }), 'unsubscribed');
    const [me] = await app.realtime.connectionsOf('ann');
    await app.realtime.subscribe(me!.id, 'room:1');
    const held = subscribe(client, 'vault:1', { getToken: async () => tokenFor('vault:1') });
    await nextOf(held, 'subscribed');
    const ended = nextOf(held, 'subscribing');
    clock.advance(HOUR_MS + 6_000);
    await ended;
    expect(await app.realtime.topicsOf(me!.id)).toContain('room:1');
  });

  it('opens nothing once it was revoked', async () => {
    const { client } = await start({ isRevoked: ({ jti }) => jti === 'lost' });
    const options = { token: tokenFor('vault:1', { jti: 'lost' }) };
    expect(await nextOf(subscribe(client, 'vault:1', options), 'unsubscribed')).toMatchObject({ code: 103 });
  });

  it('that is revoked ends its subscription when the tokens of the user are checked, and the connection stays', async () => {
    const revoked = new Set<unknown>();
    const { app, client } = await start({ isRevoked: ({ jti }) => revoked.has(jti) });
    const lost = subscribe(client, 'vault:1', { token: tokenFor('vault:1', { jti: 'lost' }) });
    const kept = subscribe(client, 'vault:2', { token: tokenFor('vault:2', { jti: 'kept' }) });
    await Promise.all([nextOf(lost, 'subscribed'), nextOf(kept, 'subscribed')]);
    revoked.add('lost');
    const ended = nextOf(lost, 'unsubscribed');
    await app.realtime.revalidate(user('ann'));
    expect(await ended).toMatchObject({ code: 2000, reason: 'the token for the topic has been revoked' });
    expect([client.state, kept.state]).toEqual(['connected', 'subscribed']);
  });

  it('is asked for again when it has expired', async () => {
    const { client } = await start();
    const getToken = vi.fn<() => Promise<string>>();
    getToken.mockResolvedValueOnce(tokenFor('vault:1', { exp: 1 })).mockResolvedValue(tokenFor('vault:1'));
    await nextOf(subscribe(client, 'vault:1', { getToken }), 'subscribed');
    expect(getToken).toHaveBeenCalledTimes(2);
  });

  it('ends the subscription with its own end, and another one begins it again', async () => {
    const { client, clock } = await start();
    const getToken = vi.fn<() => Promise<string>>(async () =>
      tokenFor('vault:1', { exp: Math.floor((clock.now() + HOUR_MS) / 1000) }),
    );
    const subscription = subscribe(client, 'vault:1', { getToken });
    await nextOf(subscription, 'subscribed');
    const left = nextOf(subscription, 'subscribing');
    const back = nextOf(subscription, 'subscribed');
    clock.advance(HOUR_MS + 6_000);
    expect(await left).toEqual({ channel: 'vault:1', code: 2501, reason: 'the token for the topic expired' });
    await back;
  });

  it('is renewed by the client before its end', async () => {
    const { app, client } = await start();
    const getToken = vi.fn<() => Promise<string>>().mockResolvedValue(tokenFor('vault:1'));
    getToken.mockResolvedValueOnce(tokenFor('vault:1', { exp: Math.ceil(Date.now() / 1000) + 1 }));
    await nextOf(subscribe(client, 'vault:1', { getToken }), 'subscribed');
    await vi.waitFor(() => expect(getToken).toHaveBeenCalledTimes(2), { timeout: 15_000 });
    expect(await app.realtime.publish('vault:1', { type: 'hi' })).toMatchObject({ recipients: 1 });
  }, 20_000);
});

describe('The renewal of a token for a topic', () => {
  async function inVault(): Promise<LineClient> {
    const client = await LineClient.to(await startRooms());
    const request = { channel: 'vault:1', token: tokenFor('vault:1') };
    client.send({ id: 1, connect: { token: ann } }, { id: 2, subscribe: request });
    await client.reply(2);
    return client;
  }

  it('is answered with the time until the next one', async () => {
    const client = await inVault();
    client.send({ id: 3, sub_refresh: { channel: 'vault:1', token: tokenFor('vault:1') } });
    expect(await client.reply(3)).toEqual({ id: 3, sub_refresh: { expires: true, ttl: expect.any(Number) } });
  });

  it.each([
    ['there is no subscription', { channel: 'vault:2', token: tokenFor('vault:2') }, 103],
    ['the token is for another topic', { channel: 'vault:1', token: tokenFor('vault:2') }, 103],
    ['the token has expired', { channel: 'vault:1', token: tokenFor('vault:1', { exp: 1 }) }, 110],
    ['there is no token', { channel: 'vault:1' }, 107],
  ])('is refused when %s', async (_why, request, code) => {
    const client = await inVault();
    client.send({ id: 3, sub_refresh: request });
    expect(await client.reply(3)).toMatchObject({ error: { code } });
  });
});
