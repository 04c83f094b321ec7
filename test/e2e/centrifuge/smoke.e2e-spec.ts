import { Injectable } from '@nestjs/common';
import { MessageBody, OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { expect, it } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, nextOf, sdkFor, subscribed } from '../../helpers/sdk.js';

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

it('works', async () => {
  const app = await startRealtimeApp({ options: { centrifuge: true }, providers: [Rooms] });
  const client = await connected(sdkFor(app, { token: testToken('ann') }));
  const sub = await subscribed(client, 'room:1');
  const pub = nextOf(sub, 'publication');
  await app.realtime.publish('room:1', { type: 'hi', payload: 1 });
  expect((await pub).data).toMatchObject({ type: 'hi', payload: 1 });
  const msg = next(client, 'message');
  await app.realtime.sendToUser('ann', { type: 'hi', payload: 2 });
  expect((await msg).data).toMatchObject({ type: 'hi', payload: 2 });
  expect(await client.rpc('echo', { topic: 'room:1', payload: { a: 1 } })).toEqual({ data: { a: 1 } });
  await sub.publish({ type: 'echo', payload: 1 });
});
