import { Controller, Get, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  Authenticator,
  JwtVerifier,
  RealtimeAuthGuard,
  RealtimeModule,
  TopicGateway,
  type ConnectInfo,
  type JwtClaims,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { TestJwtVerifier, testToken } from 'nestjs-realtime/testing';
import { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, listen, TEST_TOKENS, welcomed, type AppParts } from '../../helpers/listening-app.js';
import { connected, nextOf, sdkFor } from '../../helpers/sdk.js';

@Controller('me')
@UseGuards(RealtimeAuthGuard)
class MeController {
  @Get()
  me() {
    return 'me';
  }
}

@TopicGateway('room:{id}')
class RoomTopic {}

/** What the application is told, as the tests compare it. */
interface Told {
  readonly by: 'claims' | 'verify' | 'Authenticator';
  readonly purpose: ConnectInfo['purpose'];
  readonly address: string | undefined;
  /** The path of the request. */
  readonly url: string | undefined;
  readonly userAgent: string | undefined;
}

class Ear {
  readonly told: Told[] = [];

  hear(by: Told['by'], { purpose, address, request }: ConnectInfo): void {
    if (request !== undefined) expect(request).toBeInstanceOf(IncomingMessage);
    const url = request?.url?.replace(/\?.*/, '');
    this.told.push({ by, purpose, address, url, userAgent: request?.headers['user-agent'] });
  }

  /** What was heard since the last call. */
  heard(): Told[] {
    return this.told.splice(0);
  }
}

async function stage(parts: Pick<AppParts, 'platform' | 'providers'> = {}, options: RealtimeOptions = {}) {
  const ear = new Ear();
  class ListeningVerifier extends TestJwtVerifier {
    override async verify(token: string, info?: ConnectInfo): Promise<JwtClaims> {
      ear.hear('verify', info!);
      return super.verify(token);
    }
  }
  const claims: RealtimeOptions['claims'] = ({ sub = '' }, info) => {
    ear.hear('claims', info);
    return { userId: sub };
  };
  const app = await listen({
    ...parts,
    controllers: [MeController],
    providers: [RoomTopic, ...(parts.providers ?? [])],
    imports: [
      RealtimeModule.forRoot({
        centrifuge: true,
        token: { firstCommand: true },
        trustProxy: 1,
        claims,
        ...options,
        providers: [{ provide: JwtVerifier, useClass: ListeningVerifier }],
      }),
    ],
  });
  return { app, ear };
}

const token = testToken('ann');
const headers = { 'user-agent': 'test/1', 'x-forwarded-for': '203.0.113.9, 198.51.100.7' };

/** Both are told the same, the verifier first. */
const both = (told: Omit<Told, 'by'>): Told[] => [
  { by: 'verify', ...told },
  { by: 'claims', ...told },
];
const connecting = { purpose: 'connect', address: '198.51.100.7', url: '/ws', userAgent: 'test/1' } as const;
const later = { address: '198.51.100.7', url: undefined, userAgent: undefined } as const;

describe('JwtVerifier and claims are told of', () => {
  it('a client that connects: its request, and its address behind the proxy', async () => {
    const { app, ear } = await stage();
    await welcomed(await app.connect({ token, headers }));
    expect(ear.heard()).toEqual(both(connecting));
  });

  it('a client that sends its token as the first command: the same', async () => {
    const { app, ear } = await stage();
    const client = await app.connect({ headers });
    await client.request({ action: 'auth', token });
    expect(ear.heard()).toEqual(both(connecting));
  });

  it('a client that renews its token: its address, for its request is gone', async () => {
    const { app, ear } = await stage();
    const client = await app.connect({ token, headers });
    await welcomed(client);
    ear.heard();
    await client.request({ action: 'auth', token: testToken('ann', { roles: ['admin'] }) });
    expect(ear.heard()).toEqual(both({ purpose: 'renew', ...later }));
  });

  it('a client that renews the token of its first command: the same', async () => {
    const { app, ear } = await stage();
    const client = await app.connect({ headers });
    await client.request({ action: 'auth', token });
    ear.heard();
    await client.request({ action: 'auth', token: testToken('ann', { roles: ['admin'] }) });
    expect(ear.heard()).toEqual(both({ purpose: 'renew', ...later }));
  });

  it('an SDK that connects: the request of its socket', async () => {
    const { app, ear } = await stage();
    await connected(sdkFor(app, { token }));
    expect(ear.heard()).toMatchObject([
      { by: 'verify', purpose: 'connect', address: '127.0.0.1', url: '/ws/connection/websocket' },
      { by: 'claims', purpose: 'connect', address: '127.0.0.1', url: '/ws/connection/websocket' },
    ]);
  });

  it('an SDK that has a token for a topic: the verifier alone, and the address alone', async () => {
    const { app, ear } = await stage();
    const client = await connected(sdkFor(app, { token }));
    ear.heard();
    const subscription = client.newSubscription('room:1', { token: testToken('ann', { channel: 'room:1' }) });
    const done = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await done;
    expect(ear.heard()).toEqual([{ by: 'verify', purpose: 'topic', ...later, address: '127.0.0.1' }]);
  });

  it('an address that nobody has vouched for: never', async () => {
    const { app, ear } = await stage({}, { trustProxy: 0 });
    await welcomed(await app.connect({ token, headers }));
    expect(ear.heard()).toEqual(both({ ...connecting, address: '127.0.0.1' }));
  });
});

describe.each(PLATFORMS)('On a route of %s, JwtVerifier and claims are told of', (platform) => {
  const request = (url: string) => fetch(`${url}/me`, { headers: { ...headers, authorization: `Bearer ${token}` } });

  it("the request, Node's own, and the address behind the same proxy", async () => {
    const { app, ear } = await stage({ platform });
    expect((await request(app.url)).status).toBe(200);
    expect(ear.heard()).toEqual(both({ ...connecting, purpose: 'http', url: '/me' }));
  });

  it('the same with the guard of the whole application', async () => {
    const guard = { provide: APP_GUARD, useClass: RealtimeAuthGuard };
    const { app, ear } = await stage({ platform, providers: [guard] });
    await request(app.url);
    expect(ear.heard()).toEqual(both({ ...connecting, purpose: 'http', url: '/me' }));
  });
});

it('An Authenticator of the application is told as much as claims would be', async () => {
  const ear = new Ear();
  const authenticator: Authenticator = {
    async authenticate(_token, { info } = {}) {
      ear.hear('Authenticator', info!);
      return { identity: { userId: 'ann', roles: new Set(), permissions: new Set(), metadata: {} } };
    },
  };
  const app = await listen({
    controllers: [MeController],
    imports: [
      RealtimeModule.forRoot({
        trustProxy: 1,
        providers: [TEST_TOKENS, { provide: Authenticator, useValue: authenticator }],
      }),
    ],
  });
  const client = await app.connect({ token, headers });
  await welcomed(client);
  await client.request({ action: 'auth', token: testToken('ann', { roles: ['admin'] }) });
  await fetch(`${app.url}/me`, { headers: { ...headers, authorization: `Bearer ${token}` } });
  expect(ear.heard()).toEqual(
    [connecting, { purpose: 'renew', ...later } as const, { ...connecting, purpose: 'http', url: '/me' } as const].map(
      (told) => ({ by: 'Authenticator', ...told }),
    ),
  );
});

it('What claims throws for a reason of the request keeps a client out', async () => {
  const { app } = await stage(
    {},
    {
      claims: ({ sub = '' }, { address }) => {
        if (address !== '198.51.100.7') throw new Error('unknown');
        return { userId: sub };
      },
    },
  );
  expect(await welcomed(await app.connect({ token, headers }))).toBe('ann');
  await expect(app.connect({ token })).rejects.toMatchObject({ status: 503 });
});
