import { UsePipes, ValidationPipe } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import {
  CurrentConnection,
  OnSubscribe,
  RealtimeModule,
  TopicGateway,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { listen, TEST_TOKENS, type ListeningApp } from '../../helpers/listening-app.js';
import { connected, nextOf, sdkFor } from '../../helpers/sdk.js';

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

class JoinDto {
  @IsString()
  password!: string;
}

@TopicGateway('vault:{name}')
class Vault {
  static asked: unknown[] = [];
  static fails = false;

  @OnSubscribe()
  @UsePipes(new ValidationPipe({ whitelist: true }))
  open(@MessageBody() dto: JoinDto, @CurrentConnection() me: RealtimeConnection) {
    Vault.asked.push(structuredClone(dto));
    if (Vault.fails) throw new Error('the database is away');
    return !me.roles.has('banned');
  }
}

const PAYLOAD = { password: 'open sesame' };

async function startVault(): Promise<ListeningApp> {
  Vault.asked = [];
  Vault.fails = false;
  const realtimeModule = RealtimeModule.forRoot({ centrifuge: true, providers: [TEST_TOKENS] });
  return listen({ imports: [realtimeModule], providers: [Vault] });
}

async function clientInVault(): Promise<{ readonly app: ListeningApp; readonly client: TestClient }> {
  const app = await startVault();
  const client = await app.connect({ token: admin });
  await client.next('realtime:welcome');
  const payload = { ...PAYLOAD, isAdmin: true };
  expect(await client.request({ action: 'subscribe', topic: 'vault:1', payload })).toMatchObject({
    type: 'realtime:subscribed',
  });
  return { app, client };
}

const waysToJudgeAgain: [string, (app: ListeningApp, client: TestClient, role: string) => Promise<unknown>][] = [
  ['changeRights()', (app, _client, role) => app.realtime.changeRights(user('ann'), { roles: [role] })],
  [
    'a renewed token',
    (_app, client, role) => client.request({ action: 'auth', token: testToken('ann', { roles: [role] }) }),
  ],
];

describe.each(waysToJudgeAgain)('A subscription with a payload that is judged again after %s', (_after, judge) => {
  it('has the payload of the subscribe validated again, and stays', async () => {
    const { app, client } = await clientInVault();
    await judge(app, client, 'guest');
    await vi.waitFor(() => expect(Vault.asked).toEqual([PAYLOAD, PAYLOAD]), 15_000);
    expect(await app.realtime.publish('vault:1', { type: 'news' })).toMatchObject({ recipients: 1 });
  });

  it('ends for good when the handler says no', async () => {
    const { app, client } = await clientInVault();
    await judge(app, client, 'banned');
    const { payload } = await client.next('realtime:unsubscribed');
    expect([payload.topic, 'retryable' in payload]).toEqual(['vault:1', false]);
  });

  it('ends as one that may be tried again when the handler fails for a moment', async () => {
    const { app, client } = await clientInVault();
    Vault.fails = true;
    await judge(app, client, 'guest');
    expect((await client.next('realtime:unsubscribed')).payload).toMatchObject({ topic: 'vault:1', retryable: true });
    Vault.fails = false;
    const again = await client.request({ action: 'subscribe', topic: 'vault:1', payload: PAYLOAD });
    expect(again.type).toBe('realtime:subscribed');
  });
});

describe('A subscription of an SDK', () => {
  it('comes back by itself when the handler fails for a moment after changeRights()', async () => {
    const app = await startVault();
    const sdk = await connected(sdkFor(app, { token: admin }));
    const subscription = sdk.newSubscription('vault:1', {
      data: PAYLOAD,
      minResubscribeDelay: 5,
      maxResubscribeDelay: 50,
    });
    const begun = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await begun;

    Vault.fails = true;
    const ended = nextOf(subscription, 'subscribing');
    const back = nextOf(subscription, 'subscribed');
    await app.realtime.changeRights(user('ann'), { roles: ['guest'] });
    expect(await ended).toMatchObject({ code: 2500 });
    Vault.fails = false;
    await back;
    expect(await app.realtime.publish('vault:1', { type: 'news' })).toMatchObject({ recipients: 1 });
  });
});
