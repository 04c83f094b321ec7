import { allow, MessageBody, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge } from 'centrifuge';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { connected, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';

@TopicGateway('map:{city}', {
  delivery: { slow: 'latest', key: ({ payload }) => (payload as { id: string }).id },
})
class MapTopic {
  @OnSubscribe()
  enter(@MessageBody() wish?: { maxRateHz?: number }) {
    return allow({ maxRateHz: wish?.maxRateHz });
  }
}

@TopicGateway('logs:{app}', { delivery: { slow: 'drop' } })
class LogsTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

const start = () => startRealtimeApp({ providers: [MapTopic, LogsTopic], options: { centrifuge: true } });

const moved = (id: string, n: number, pad = '') => ({ type: 'moved', payload: { id, n, pad } });

/** Messages so large that the buffers of the kernel are full after some. */
const PAD = 'x'.repeat(64 * 1_024);

/** The socket of the SDK, which can be stopped. */
const socketOf = (client: Centrifuge) =>
  (client as unknown as { _transport: { _transport: { pause(): void; resume(): void } } })._transport._transport;

describe('An SDK', () => {
  it('that has stopped reading gets the last of each key, in the order of the last change, when it goes on', async () => {
    const app = await start();
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    const subscription = await subscribed(client, 'map:1');
    const values: string[] = [];
    subscription.on('publication', ({ data }) => values.push(`${data.payload.id}${data.payload.n}`));
    socketOf(client).pause();
    for (let n = 0; n < 300; n++) {
      await app.realtime.publish('map:1', moved('abc'[n % 3]!, n, PAD));
      await new Promise((resolve) => setImmediate(resolve));
    }
    socketOf(client).resume();
    await expect.poll(() => values.slice(-3)).toEqual(['a297', 'b298', 'c299']);
    expect(values.length).toBeLessThan(300);
  });

  it('asks for fewer updates by the data of its subscription, if the application allows it', async () => {
    const app = await start();
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    const subscription = client.newSubscription('map:1', { data: { maxRateHz: 0.1 } });
    const begun = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await begun;
    const values: number[] = [];
    subscription.on('publication', ({ data }) => values.push(data.payload.n));
    for (let n = 0; n < 10; n++) await app.realtime.publish('map:1', moved('a', n));
    await client.presence('map:1').catch(() => undefined);
    expect(values).toEqual([0]);
  });

  it('is told how much it has missed in a topic that drops', async () => {
    const app = await start();
    const client = await connected(sdkFor(app, { token: testToken('ann') }));
    await subscribed(client, 'logs:1');
    const told: unknown[] = [];
    client.on('message', ({ data }) => told.push(data));
    socketOf(client).pause();
    let dropped = 0;
    for (let n = 0; n < 2_000 && dropped < 5; n++) {
      dropped += (await app.realtime.publish('logs:1', moved('a', n, PAD))).dropped ?? 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    socketOf(client).resume();
    const notice = { type: 'realtime:dropped', payload: { topic: 'logs:1', count: 5 }, timestamp: expect.any(String) };
    await expect.poll(() => told).toEqual([notice]);
  });
});
