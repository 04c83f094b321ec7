import { all, CurrentConnection, OnSubscribe, RealtimeModule, role, TopicGateway, user } from 'nestjs-realtime';
import type { RealtimeConnection } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';
import { startRedis } from '../../helpers/redis-server.js';

@TopicGateway('admins:{room}')
class AdminsOnly {
  @OnSubscribe()
  enter(@CurrentConnection() me: RealtimeConnection) {
    return me.roles.has('admin') || me.permissions.has('enter');
  }
}

/** Where the connection is, and where its rights are changed. */
interface Nodes {
  readonly here: ListeningApp;
  readonly there: ListeningApp;
}

const node = (url?: string) =>
  listen({
    imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS], backend: url ? redisBackend({ url }) : undefined })],
    providers: [AdminsOnly],
  });

const PLACES: [place: string, start: () => Promise<Nodes>][] = [
  [
    'the same node',
    async () => {
      const here = await node();
      return { here, there: here };
    },
  ],
  [
    'another node',
    async () => {
      const { url } = await startRedis();
      return { here: await node(url), there: await node(url) };
    },
  ],
];

describe.each(PLACES)('rights that are changed on %s', (_place, start) => {
  async function connected(token: string): Promise<Nodes & { readonly client: TestClient }> {
    const nodes = await start();
    const client = await nodes.here.connect({ token });
    await client.next('realtime:welcome');
    return { ...nodes, client };
  }

  it('are those of the connection from then on', async () => {
    const { there } = await connected(testToken('ann', { roles: ['guest'], permissions: ['read'] }));
    expect(await there.realtime.changeRights(user('ann'), { roles: ['admin'] })).toEqual({
      recipients: 1,
      nodes: 1,
      complete: true,
    });
    const [connection] = await there.realtime.connectionsOf('ann');
    expect([...connection!.roles, ...connection!.permissions]).toEqual(['admin', 'read']);
  });

  it('decide what it gets', async () => {
    const { here, there, client } = await connected(testToken('ann', { roles: ['guest'] }));
    await there.realtime.changeRights(user('ann'), { roles: ['admin'] });
    // Once the node of the connection has joined the role.
    await expect.poll(async () => (await there.realtime.sendToRole('admin', { type: 'news' })).recipients).toBe(1);
    await client.next('news');
    expect(await here.realtime.sendToRole('guest', { type: 'old' })).toMatchObject({ recipients: 0 });
  });

  it('take it off the topics that they no longer open, and tell it', async () => {
    const { there, client } = await connected(testToken('ann', { roles: ['admin'] }));
    await client.request({ action: 'subscribe', topic: 'admins:1' });
    await there.realtime.changeRights(role('admin'), { roles: [] });
    expect(await client.next('realtime:unsubscribed')).toMatchObject({ payload: { topic: 'admins:1' } });
    expect(await there.realtime.subscribersOf('admins:1')).toEqual([]);
  });

  it('leave it on the topics that they still open', async () => {
    const { there, client } = await connected(testToken('ann', { roles: ['admin'] }));
    await client.request({ action: 'subscribe', topic: 'admins:1' });
    await there.realtime.changeRights(all(), { roles: [], permissions: ['enter'] });
    await client.request({ action: 'ping', id: 'fence' });
    expect(await there.realtime.publish('admins:1', { type: 'news' })).toMatchObject({ recipients: 1 });
  });

  it('give way to those of a newer token', async () => {
    const { there, client } = await connected(testToken('ann', { roles: ['guest'] }));
    await there.realtime.changeRights(user('ann'), { roles: ['admin'] });
    await client.request({ action: 'auth', token: testToken('ann', { roles: ['staff'] }) });
    const [connection] = await there.realtime.connectionsOf('ann');
    expect([...connection!.roles]).toEqual(['staff']);
  });
});

describe('rights of nobody', () => {
  it('are changed for no connection', async () => {
    const { realtime } = await node();
    expect(await realtime.changeRights(user('nobody'), { roles: [] })).toMatchObject({ recipients: 0, complete: true });
  });
});
