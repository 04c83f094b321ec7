import { Injectable } from '@nestjs/common';
import { connection, OnSubscribe, RealtimeError, TopicGateway, type ErrorCode } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription } from 'centrifuge';
import { describe, expect, it, vi } from 'vitest';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, nextOf, sdkFor } from '../../helpers/sdk.js';

const TOPIC = 'moody:1';

/** Refuses with the errors that wait, and opens the topic once none is left. */
@Injectable()
@TopicGateway('moody:{id}')
class Moody {
  readonly errors: ErrorCode[] = [];

  @OnSubscribe() join() {
    const code = this.errors.shift();
    if (code) throw new RealtimeError(code, 'for the test');
    return true;
  }
}

async function start(): Promise<{ app: RealtimeApp; client: Centrifuge; moody: Moody }> {
  const app = await startRealtimeApp({ providers: [Moody], options: { centrifuge: true } });
  const client = await connected(sdkFor(app, { token: testToken('ann') }));
  return { app, client, moody: app.app.get(Moody) };
}

/** A subscription of a client that can get a token for the topic. */
function subscriptionOf(client: Centrifuge): Subscription {
  const getToken = async () => testToken('ann', { channel: TOPIC });
  return client.newSubscription(TOPIC, { getToken, minResubscribeDelay: 5, maxResubscribeDelay: 20 });
}

/** Has the topic judged again. */
async function changeRights({ realtime }: RealtimeApp): Promise<void> {
  const [{ id } = { id: '' }] = await realtime.connectionsOf('ann');
  await realtime.changeRights(connection(id), { roles: ['other'] });
}

/** How a subscription fares that meets an error: what the SDK makes of it in the end. */
const FATES: readonly (readonly [ErrorCode, 'subscribed' | 'unsubscribed'])[] = [
  ['INTERNAL', 'subscribed'],
  ['TOKEN_EXPIRED', 'subscribed'],
  ['RATE_LIMITED', 'subscribed'],
  ['TIMEOUT', 'subscribed'],
  ['UNAVAILABLE', 'subscribed'],
  ['FORBIDDEN', 'unsubscribed'],
  ['TOPIC_NOT_FOUND', 'unsubscribed'],
  ['UNAUTHENTICATED', 'unsubscribed'],
  ['LIMIT_EXCEEDED', 'unsubscribed'],
  ['VALIDATION_FAILED', 'unsubscribed'],
];

describe('The SDK tries again when the reason may pass, and gives up otherwise', () => {
  it.each(FATES)('after a refusal: %s', async (code, fate) => {
    const { client, moody } = await start();
    moody.errors.push(code);
    const subscription = subscriptionOf(client);
    const event = nextOf(subscription, fate);
    subscription.subscribe();
    await event;
    expect([subscription.state, client.state]).toEqual([fate, 'connected']);
  });

  it.each(FATES)('after the end of a subscription: %s', async (code, fate) => {
    const { app, client, moody } = await start();
    const subscription = subscriptionOf(client);
    const begun = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await begun;
    moody.errors.push(code);
    const event = nextOf(subscription, fate);
    await changeRights(app);
    await event;
    expect([subscription.state, client.state]).toEqual([fate, 'connected']);
  });

  it.each(FATES)('after the end of a subscription that has not started yet: %s', async (code, fate) => {
    const { app, client, moody } = await start();
    const bus = app.app.get(MessageBus);
    const join = bus.join.bind(bus);
    let finish!: () => void;
    const isJoining = new Promise<void>((begun) => {
      vi.spyOn(bus, 'join').mockImplementationOnce(async (subject) => {
        await join(subject);
        begun();
        await new Promise<void>((resolve) => (finish = resolve));
      });
    });
    const subscription = subscriptionOf(client);
    const event = nextOf(subscription, fate);
    subscription.subscribe();
    await isJoining;
    moody.errors.push(code);
    await changeRights(app);
    finish();
    await event;
    expect([subscription.state, client.state, moody.errors]).toEqual([fate, 'connected', []]);
  });

  it('after the renewal of its token with one that has expired', async () => {
    const app = await startRealtimeApp({ options: { centrifuge: true } });
    const soon = Math.ceil(Date.now() / 1000) + 2;
    const tokens = [testToken('ann', { exp: soon }), testToken('ann', { exp: 1 })];
    const client = await connected(sdkFor(app, { getToken: async () => tokens.shift() ?? testToken('ann') }));
    expect(await next(client, 'error')).toMatchObject({ type: 'refresh', error: { code: 110 } });
    expect(client.state).toBe('connected');
  });
});
