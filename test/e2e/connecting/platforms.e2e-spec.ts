import { Controller, Injectable, Module, Post } from '@nestjs/common';
import { OnSubscribe, RealtimeModule, RealtimeService, TopicGateway, type DeliveryReport } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, PLATFORMS, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';

@Controller('orders')
class Orders {
  constructor(private readonly realtime: RealtimeService) {}

  @Post()
  create(): Promise<DeliveryReport> {
    return this.realtime.sendToUser('ann', { type: 'order.created', payload: { id: 'o-1' } });
  }
}

@Injectable()
@TopicGateway('room:{id}')
class Rooms {
  @OnSubscribe() join() {
    return true;
  }
}

@Module({ controllers: [Orders], providers: [Rooms] })
class Features {}

describe.each(PLATFORMS)('On %s', (platform) => {
  const start = () => {
    const realtime = RealtimeModule.forRoot({ drain: { timeoutMs: 1_000 }, providers: [TEST_TOKENS] });
    return listen({ platform, imports: [realtime, Features] });
  };

  it('a user receives what a controller sends', async () => {
    const app = await start();
    const client = await app.connect({ token: testToken('ann') });
    await fetch(`${app.url}/orders`, { method: 'POST' });
    expect((await client.next('order.created')).payload).toEqual({ id: 'o-1' });
  });

  it('the report of a send reaches the controller', async () => {
    const app = await start();
    await welcomed(await app.connect({ token: testToken('ann') }));
    const answer = await fetch(`${app.url}/orders`, { method: 'POST' });
    expect(await answer.json()).toMatchObject({ recipients: 1, nodes: 1, complete: true });
  });

  it('a client subscribes to a topic and gets what is published there', async () => {
    const app = await start();
    const client = await app.connect({ token: testToken('ann') });
    await client.request({ action: 'subscribe', topic: 'room:1' });
    await app.realtime.publish('room:1', { type: 'said', payload: 'hi' });
    expect(await client.next('said')).toMatchObject({ topic: 'room:1', payload: 'hi' });
  });

  it('a bad token is answered with 401', async () => {
    const app = await start();
    await expect(app.connect({ token: 'broken' })).rejects.toMatchObject({
      status: 401,
      body: { code: 'UNAUTHENTICATED' },
    });
  });

  it('an unknown path is answered with 404', async () => {
    const app = await start();
    await expect(app.connectTo('/nowhere')).rejects.toMatchObject({ status: 404 });
  });

  it('routes are served beside the endpoint', async () => {
    const app = await start();
    expect((await fetch(`${app.url}/orders`, { method: 'POST' })).status).toBe(201);
  });

  it('clients are told to reconnect when the application closes', async () => {
    const app = await start();
    const client = await app.connect({ token: testToken('ann') });
    await app.app.close();
    expect((await client.nextClose()).code).toBe(3001);
  });
});
