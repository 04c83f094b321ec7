import { Injectable } from '@nestjs/common';
import { OnSubscribe, TopicGateway, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { SubscriptionState, type Centrifuge, type Subscription } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import { RealtimeSettings } from '../../../lib/options/realtime.options.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { sdkFor } from '../../helpers/sdk.js';

@Injectable()
@TopicGateway('hall:{id}', { history: { size: 10, ttlMs: 60_000 }, presence: true })
class Halls {
  @OnSubscribe() async join() {
    return true;
  }
}

/** How long an SDK may take for all of its topics, which it opens at once. */
const DEADLINE_MS = 20_000;

/** An application with the limits that the package has by itself. */
function startHalls(limits: RealtimeOptions['limits'] = {}): Promise<RealtimeApp> {
  const options = { centrifuge: true, limits: { ...new RealtimeSettings({}).limits, ...limits } };
  return startRealtimeApp({ providers: [Halls], options });
}

interface Visit {
  readonly client: Centrifuge;
  readonly subscriptions: readonly Subscription[];
  /** How often it has connected, and how often its connection ended. */
  readonly connects: () => readonly [connected: number, connecting: number];
}

/** An SDK that has so many topics from the beginning. */
function visit(app: RealtimeApp, count: number): Visit {
  const client = sdkFor(app, { token: testToken('ann'), timeout: DEADLINE_MS });
  const counts = { connected: 0, connecting: 0 };
  client.on('connected', () => void (counts.connected += 1));
  client.on('connecting', () => void (counts.connecting += 1));
  const subscriptions = Array.from({ length: count }, (_, n) => client.newSubscription(`hall:${n}`));
  for (const subscription of subscriptions) {
    subscription.on('error', () => undefined);
    subscription.subscribe();
  }
  return { client, subscriptions, connects: () => [counts.connected, counts.connecting] };
}

const statesOf = (subscriptions: readonly Subscription[]) => ({
  subscribed: subscriptions.filter(({ state }) => state === SubscriptionState.Subscribed).length,
  unsubscribed: subscriptions.filter(({ state }) => state === SubscriptionState.Unsubscribed).length,
});

describe('an SDK with as many topics as a connection may have', () => {
  it('subscribes to each and reads its presence and its history at once', async () => {
    const app = await startHalls();
    const { client, subscriptions, connects } = visit(app, 128);
    const read = subscriptions.map(
      (subscription) =>
        new Promise((resolve, reject) => {
          subscription.once('subscribed', () => {
            Promise.all([subscription.presence(), subscription.history({ limit: 10 })]).then(resolve, reject);
          });
        }),
    );
    client.connect();
    expect((await Promise.all(read)).length).toBe(128);
    expect([statesOf(subscriptions), connects()]).toEqual([{ subscribed: 128, unsubscribed: 0 }, [1, 1]]);
  });
});

describe('an SDK with more topics than a connection may have', () => {
  it.each([300, 1_000])(
    'keeps 128 of %i, is refused the others for good, and stays connected',
    async (count) => {
      const app = await startHalls();
      const { client, subscriptions, connects } = visit(app, count);
      const codes: number[] = [];
      for (const subscription of subscriptions) subscription.on('unsubscribed', ({ code }) => void codes.push(code));
      client.connect();
      await expect
        .poll(() => statesOf(subscriptions), { timeout: DEADLINE_MS })
        .toEqual({ subscribed: 128, unsubscribed: count - 128 });
      expect([new Set(codes), connects(), client.state]).toEqual([new Set([106]), [1, 1], 'connected']);
    },
    30_000,
  );

  it('reads presence and history of each topic that it has, at once', async () => {
    const app = await startHalls();
    const { client, subscriptions, connects } = visit(app, 1_000);
    const read: unknown[] = [];
    const failed: unknown[] = [];
    for (const subscription of subscriptions) {
      subscription.once('subscribed', () => {
        for (const answer of [subscription.presence(), subscription.history({ limit: 10 })]) {
          answer.then(
            (each) => void read.push(each),
            (error: unknown) => void failed.push(error),
          );
        }
      });
    }
    client.connect();
    await expect.poll(() => read.length + failed.length, { timeout: DEADLINE_MS }).toBe(2 * 128);
    expect([failed, connects()]).toEqual([[], [1, 1]]);
  }, 30_000);
});

describe('an SDK whose rate limit is used up', () => {
  it('gets all of its topics in the end, on the same connection', async () => {
    const app = await startHalls({ commandsPerSecond: 4, commandBurst: 5, maxTopicsPerConnection: 10 });
    const { client, connects } = visit(app, 0);
    client.connect();
    await client.ready();
    const calls = Array.from({ length: 60 }, async () => client.history('hall:0', { limit: 1 }));
    await Promise.allSettled(calls);
    const subscriptions = Array.from({ length: 10 }, (_, n) => client.newSubscription(`hall:${n}`));
    const refusals: number[] = [];
    for (const subscription of subscriptions) {
      subscription.on('error', ({ error }) => void refusals.push(error.code));
      subscription.subscribe();
    }
    await expect.poll(() => statesOf(subscriptions).subscribed, { timeout: DEADLINE_MS }).toBe(10);
    expect([new Set(refusals), connects(), client.state]).toEqual([new Set([111]), [1, 1], 'connected']);
  }, 30_000);
});

describe('an SDK that sends thousands of commands at once when it has connected', () => {
  it('is answered each, most of them with 111, and stays connected', async () => {
    const app = await startHalls();
    const { client, connects } = visit(app, 1);
    client.connect();
    await client.ready();
    const codes = await Promise.all(
      Array.from({ length: 3_000 }, () =>
        client.presence('hall:0').then(
          () => 0,
          ({ code }: { code: number }) => code,
        ),
      ),
    );
    expect(new Set(codes)).toEqual(new Set([0, 111]));
    expect(codes.filter((code) => code === 111).length).toBeGreaterThan(2_000);
    await expect.poll(() => client.presence('hall:0').catch(() => undefined)).toBeDefined();
    expect(connects()).toEqual([1, 1]);
  });
});
