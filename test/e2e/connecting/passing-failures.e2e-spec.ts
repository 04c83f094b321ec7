import { Controller, ForbiddenException, Get, UnauthorizedException, UseGuards } from '@nestjs/common';
import {
  Authenticator,
  JwtVerifier,
  RealtimeAuthGuard,
  RealtimeModule,
  TopicGateway,
  type RealtimeOptions,
} from 'nestjs-realtime';
import { TestJwtVerifier, testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { connected, next, nextOf, sdkFor } from '../../helpers/sdk.js';

const SECRET = 'hunter2';

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

/** The part that fails while `away` is true. */
interface Outage {
  away: boolean;
  error: unknown;
}

/** Everything that may fail while a token is judged. */
const SOURCES: Record<string, (fail: () => void) => { options?: RealtimeOptions; providers?: object[] }> = {
  claims: (fail) => ({ options: { claims: ({ sub = '' }) => (fail(), { userId: sub }) } }),
  'claims that looks it up': (fail) => ({ options: { claims: async ({ sub = '' }) => (fail(), { userId: sub }) } }),
  isRevoked: (fail) => ({ options: { isRevoked: () => (fail(), false) } }),
  Authenticator: (fail) => ({ providers: [{ provide: Authenticator, useValue: authenticator(fail) }] }),
};

/** What may fail while a client connects, and only then. */
const SOURCES_AT_CONNECT: typeof SOURCES = {
  metadata: (fail) => ({ options: { metadata: () => (fail(), {}) } }),
  'metadata that looks it up': (fail) => ({ options: { metadata: async () => (fail(), {}) } }),
};

const ALL_SOURCES = { ...SOURCES, ...SOURCES_AT_CONNECT };

function authenticator(fail: () => void): Authenticator {
  return {
    async authenticate() {
      fail();
      return { identity: { userId: 'ann', roles: new Set<string>(), permissions: new Set<string>(), metadata: {} } };
    },
  };
}

async function stage(source: keyof typeof ALL_SOURCES, error: unknown = new TypeError(SECRET)) {
  const outage: Outage = { away: true, error };
  const { options, providers = [] } = ALL_SOURCES[source]!(() => {
    if (outage.away) throw outage.error;
  });
  const logger = new LogRecorder();
  const app = await listen({
    logger,
    controllers: [MeController],
    providers: [RoomTopic],
    imports: [
      RealtimeModule.forRoot({
        centrifuge: true,
        token: { firstCommand: true },
        ...options,
        providers: [TEST_TOKENS, ...(providers as [])],
      }),
    ],
  });
  return { app, outage, logger };
}

const token = testToken('ann');

/** A port on which no server listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.each(Object.keys(ALL_SOURCES))('While %s fails', (source) => {
  it('an upgrade is answered with 503', async () => {
    const { app } = await stage(source);
    await expect(app.connect({ token })).rejects.toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'UNAVAILABLE' },
    });
  });

  it('a first command is answered with UNAVAILABLE, and the client may come back', async () => {
    const { app } = await stage(source);
    const client = await app.connect();
    const answer = client.request({ action: 'auth', token }).catch(() => undefined);
    expect(await client.nextClose()).toMatchObject({ code: 3004 });
    expect(await answer).toMatchObject({ payload: { code: 'UNAVAILABLE' } });
  });

  it('an SDK tries until it is let in', async () => {
    const { app, outage } = await stage(source);
    const client = sdkFor(app, { token });
    const failed = next(client, 'error');
    const done = next(client, 'connected');
    client.connect();
    await failed;
    outage.away = false;
    await done;
    expect(client.state).toBe('connected');
  });

  it('the log says so once, and nothing of the error but its name', async () => {
    const { app, logger } = await stage(source);
    for (let n = 0; n < 3; n++) await app.connect({ token }).catch(() => undefined);
    const lines = logger.lines.filter((line) => line.includes('failed'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^error .* failed, so tokens cannot be verified \(UNAVAILABLE\): TypeError/);
    expect(logger.lines.join()).not.toContain(SECRET);
  });
});

describe.each(Object.keys(SOURCES))('While %s fails for one that is known already', (source) => {
  it('a renewal is answered with UNAVAILABLE, and the connection stays', async () => {
    const { app, outage } = await stage(source);
    outage.away = false;
    const client = await app.connect({ token });
    await welcomed(client);
    outage.away = true;
    expect(await client.request({ action: 'auth', token })).toMatchObject({ payload: { code: 'UNAVAILABLE' } });
    expect(await client.request({ action: 'ping' })).toMatchObject({ type: 'realtime:pong' });
  });

  it('an HTTP route is answered with 503', async () => {
    const { app } = await stage(source);
    const response = await fetch(`${app.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect([response.status, await response.json()]).toMatchObject([503, { errorCode: 'UNAVAILABLE' }]);
  });
});

describe.each(Object.keys(ALL_SOURCES))('%s refuses a token', (source) => {
  it.each([
    [new UnauthorizedException(), 401, 'UNAUTHENTICATED'],
    [new ForbiddenException(), 403, 'FORBIDDEN'],
  ])('by throwing %o', async (error, status, code) => {
    const { app } = await stage(source, error);
    await expect(app.connect({ token })).rejects.toMatchObject({ status, body: { code } });
  });
});

describe('While token.from fails', () => {
  const listenWith = (from: NonNullable<RealtimeOptions['token']>['from']) =>
    listen({
      imports: [RealtimeModule.forRoot({ centrifuge: true, token: { from: from! }, providers: [TEST_TOKENS] })],
    });

  it.each<[string, () => Promise<string>]>([
    [
      'at once',
      () => {
        throw new TypeError(SECRET);
      },
    ],
    ['later', () => Promise.reject(new TypeError(SECRET))],
  ])('%s, a client is answered with 503 although there is a token elsewhere', async (_when, from) => {
    const app = await listenWith(from);
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });

  it('with an UnauthorizedException, a client is answered with 401', async () => {
    const app = await listenWith(() => Promise.reject(new UnauthorizedException()));
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 401 });
  });

  it('an SDK tries until it is let in', async () => {
    let isAway = true;
    const app = await listenWith(async () => {
      if (isAway) throw new TypeError(SECRET);
      return token;
    });
    const client = sdkFor(app);
    const failed = next(client, 'error');
    const done = next(client, 'connected');
    client.connect();
    await failed;
    isAway = false;
    await done;
    expect(client.state).toBe('connected');
  });
});

describe('A token that token.from looks up', () => {
  it('is waited for', async () => {
    const from = async () => testToken('bob');
    const app = await listen({ imports: [RealtimeModule.forRoot({ token: { from }, providers: [TEST_TOKENS] })] });
    expect(await welcomed(await app.connect())).toBe('bob');
  });

  it('does not keep one from the usual places out when there is none', async () => {
    const from = async () => undefined;
    const app = await listen({ imports: [RealtimeModule.forRoot({ token: { from }, providers: [TEST_TOKENS] })] });
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
    await expect(app.connect()).rejects.toMatchObject({ status: 401 });
  });

  it('is waited for as long as authenticating may take', async () => {
    const options = { token: { from: () => new Promise<string>(() => undefined) }, limits: { authTimeoutMs: 50 } };
    const app = await listen({ imports: [RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] })] });
    await expect(app.connect()).rejects.toMatchObject({ status: 503 });
  });
});

describe('A verifier whose network fails', () => {
  /** A key server that is away for some tokens. */
  class RemoteVerifier extends TestJwtVerifier {
    static away = false;
    static url = '';
    override async verify(text: string) {
      const claims = await super.verify(text);
      if (RemoteVerifier.away) await fetch(RemoteVerifier.url);
      return claims;
    }
  }

  async function listenAway() {
    RemoteVerifier.away = false;
    RemoteVerifier.url = `http://127.0.0.1:${await closedPort()}/introspect`;
    const providers = [{ provide: JwtVerifier, useClass: RemoteVerifier }];
    const module = RealtimeModule.forRoot({ centrifuge: true, providers });
    return listen({ providers: [RoomTopic], controllers: [MeController], imports: [module] });
  }

  it('leads to 503 for those whom it cannot judge, and to 401 for bad tokens', async () => {
    const app = await listenAway();
    RemoteVerifier.away = true;
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503 });
    await expect(app.connect({ token: 'bad' })).rejects.toMatchObject({ status: 401 });
    const response = await fetch(`${app.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(response.status).toBe(503);
  });

  it('does not end the subscription of an SDK with a token for its topic', async () => {
    const app = await listenAway();
    const client = await connected(sdkFor(app, { token }));
    RemoteVerifier.away = true;
    const subscription = client.newSubscription('room:1', {
      token: testToken('ann', { channel: 'room:1' }),
      minResubscribeDelay: 5,
      maxResubscribeDelay: 50,
    });
    const failed = nextOf(subscription, 'error');
    const done = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await failed;
    RemoteVerifier.away = false;
    await done;
    expect(subscription.state).toBe('subscribed');
  });
});
