import { CurrentConnection, OnSubscribe, RealtimeModule, TopicGateway, type RealtimeConnection } from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';

const admin = testToken('ann', { roles: ['admin'] });
const guest = testToken('ann', { roles: ['guest'] });

@TopicGateway('admins:{room}')
class AdminsOnly {
  static asked = 0;

  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    AdminsOnly.asked += 1;
    return me.roles.has('admin');
  }
}

@TopicGateway('open:{room}')
class ForAll {
  @OnSubscribe()
  enter() {
    return true;
  }
}

async function subscribedAdmin(): Promise<{ readonly app: ListeningApp; readonly client: TestClient }> {
  AdminsOnly.asked = 0;
  const app = await listen({
    imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })],
    providers: [AdminsOnly, ForAll],
  });
  const client = await app.connect({ token: admin });
  await client.next('realtime:welcome');
  await client.request({ action: 'subscribe', topic: 'admins:1' });
  await client.request({ action: 'subscribe', topic: 'open:1' });
  return { app, client };
}

describe('A client that renews its token with fewer roles', () => {
  it('is taken off the topics that they no longer open, and told so', async () => {
    const { client } = await subscribedAdmin();
    await client.request({ action: 'auth', token: guest });
    expect(await client.next('realtime:unsubscribed')).toMatchObject({ payload: { topic: 'admins:1' } });
  });

  it('gets nothing more from them', async () => {
    const { app, client } = await subscribedAdmin();
    await client.request({ action: 'auth', token: guest });
    await client.next('realtime:unsubscribed');
    expect(await app.realtime.publish('admins:1', { type: 'secret' })).toMatchObject({ recipients: 0 });
  });

  it('stays on the topics that are open to it', async () => {
    const { app, client } = await subscribedAdmin();
    await client.request({ action: 'auth', token: guest });
    await client.next('realtime:unsubscribed');
    expect(await app.realtime.publish('open:1', { type: 'news' })).toMatchObject({ recipients: 1 });
  });

  it('stays on the topics that the server has chosen for it', async () => {
    const { app, client } = await subscribedAdmin();
    const [connection] = await app.realtime.connectionsOf('ann');
    await app.realtime.subscribe(connection!.id, 'admins:chosen');
    await client.request({ action: 'auth', token: guest });
    await client.next('realtime:unsubscribed');
    expect(await app.realtime.publish('admins:chosen', { type: 'news' })).toMatchObject({ recipients: 1 });
  });
});

describe('A client that renews its token with the same roles', () => {
  it('is not judged again', async () => {
    const { client } = await subscribedAdmin();
    await client.request({ action: 'auth', token: admin });
    // Behind whatever would have been put in line.
    await client.request({ action: 'unsubscribe', topic: 'open:1' });
    expect(AdminsOnly.asked).toBe(1);
  });
});
