import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import {
  CurrentConnection,
  CurrentUser,
  OnConnect,
  RealtimeAuthGuard,
  RealtimeError,
  RealtimeModule,
  TopicGateway,
  type RealtimeConnection,
  type RealtimeOptions,
  type RealtimeUser,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { listen, TEST_TOKENS, welcomed } from '../../helpers/listening-app.js';
import { LogRecorder } from '../../helpers/log-recorder.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { connected, nextOf, sdkFor } from '../../helpers/sdk.js';

/** Keeps the metadata of each connection that its hook sees. */
@Injectable()
class Doorman {
  readonly seen: unknown[] = [];

  @OnConnect()
  enter(@CurrentConnection() { metadata }: RealtimeConnection) {
    this.seen.push(metadata);
  }
}

@Controller('me')
@UseGuards(RealtimeAuthGuard)
class MeController {
  @Get()
  me(@CurrentUser() { metadata }: RealtimeUser) {
    return metadata;
  }
}

@TopicGateway('room:{id}')
class RoomTopic {}

async function stage(metadata: RealtimeOptions['metadata'], options: RealtimeOptions = {}) {
  const logger = new LogRecorder();
  const doorman = new Doorman();
  const app = await listen({
    logger,
    controllers: [MeController],
    providers: [{ provide: Doorman, useValue: doorman }, RoomTopic],
    imports: [
      RealtimeModule.forRoot({
        centrifuge: true,
        token: { firstCommand: true },
        ...(metadata && { metadata }),
        ...options,
        providers: [TEST_TOKENS],
      }),
    ],
  });
  return { app, logger, doorman };
}

const EMAIL = 'ann@example.com';
const token = testToken('ann', { email: EMAIL });
const headers = { 'user-agent': 'test/1', 'accept-language': 'de' };
const ofRequest: RealtimeOptions['metadata'] = ({ request }) => ({
  agent: request?.headers['user-agent'],
  locale: request?.headers['accept-language'],
});

describe('The metadata of the request', () => {
  it('is known to @OnConnect(), beside that of the token', async () => {
    const { app, doorman } = await stage(ofRequest);
    await welcomed(await app.connect({ token, headers }));
    expect(doorman.seen).toEqual([{ email: EMAIL, agent: 'test/1', locale: 'de' }]);
  });

  it('is that of the request when the token comes in the first command', async () => {
    const { app, doorman } = await stage(ofRequest);
    const client = await app.connect({ headers });
    await client.request({ action: 'auth', token });
    await welcomed(client);
    expect(doorman.seen).toEqual([{ email: EMAIL, agent: 'test/1', locale: 'de' }]);
  });

  it('is that of the socket of an SDK', async () => {
    const { app, doorman } = await stage(({ request }) => ({ path: request?.url }));
    await connected(sdkFor(app, { token }));
    expect(doorman.seen).toEqual([{ email: EMAIL, path: '/ws/connection/websocket' }]);
  });

  it('may be looked up, by the user of the token', async () => {
    const { app, doorman } = await stage(async (_info, { userId, metadata }) => ({
      is: userId,
      was: metadata['email'],
    }));
    await welcomed(await app.connect({ token }));
    expect(doorman.seen).toEqual([{ email: EMAIL, is: 'ann', was: EMAIL }]);
  });

  it('removes what the token says with null', async () => {
    const { app, doorman } = await stage(() => ({ email: null, locale: 'de' }));
    await welcomed(await app.connect({ token }));
    expect(doorman.seen).toEqual([{ locale: 'de' }]);
  });

  it('stands alone when the token says nothing', async () => {
    const { app, doorman } = await stage(() => ({ locale: 'de' }));
    await welcomed(await app.connect({ token: testToken('bob') }));
    expect(doorman.seen).toEqual([{ locale: 'de' }]);
  });

  it('is asked for when a client connects, and at no other time', async () => {
    const purposes: string[] = [];
    const { app } = await stage(({ purpose }) => (purposes.push(purpose), { locale: 'de' }));
    const client = await connected(sdkFor(app, { token }));
    const topicToken = testToken('ann', { channel: 'room:1' });
    const subscription = client.newSubscription('room:1', { token: topicToken });
    const done = nextOf(subscription, 'subscribed');
    subscription.subscribe();
    await done;
    const plain = await app.connect({ token });
    await plain.request({ action: 'auth', token: testToken('ann', { email: 'new@example.com' }) });
    const response = await fetch(`${app.url}/me`, { headers: { authorization: `Bearer ${token}` } });
    expect([await response.json(), purposes]).toEqual([{ email: EMAIL }, ['connect', 'connect']]);
  });

  it('is not asked for when the client may not connect anyway', async () => {
    const asked: unknown[] = [];
    const { app } = await stage((info) => (asked.push(info), {}), { authorize: { roles: ['staff'] } });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 403 });
    await expect(app.connect({ token: 'bad' })).rejects.toMatchObject({ status: 401 });
    expect(asked).toEqual([]);
  });
});

describe('Metadata that takes too long', () => {
  const never = () => new Promise<never>(() => undefined);

  it('leads to 503 after the time for authenticating', async () => {
    const { app } = await stage(never, { limits: { authTimeoutMs: 50 } });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
  });

  it('closes a connection that sent its token as the first command', async () => {
    const { app } = await stage(never, { limits: { authTimeoutMs: 50 } });
    const client = await app.connect();
    const answer = client.request({ action: 'auth', token }).catch(() => undefined);
    expect(await client.nextClose()).toMatchObject({ code: 3004 });
    expect(await answer).toMatchObject({ payload: { code: 'UNAVAILABLE' } });
  });

  it('is not asked for when the token alone took that long', async () => {
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const asked: unknown[] = [];
    const { app } = await stage((info) => (asked.push(info), {}), {
      limits: { authTimeoutMs: 50 },
      claims: async ({ sub = '' }) => {
        await released;
        return { userId: sub };
      },
    });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503 });
    release();
    await welcomed(await app.connect({ token }));
    expect(asked).toHaveLength(1);
  });
});

describe('Metadata that comes when the client is gone', () => {
  it('makes no connection of one that sent its token with the request', async () => {
    let reached!: () => void;
    const asked = new Promise<void>((resolve) => (reached = resolve));
    let noticed!: () => void;
    const gone = new Promise<void>((resolve) => (noticed = resolve));
    const { app, doorman } = await stage(async ({ request }, { userId }) => {
      if (userId !== 'ann') return {};
      const closed = new Promise((resolve) => request!.socket.once('close', resolve));
      reached();
      await closed;
      noticed();
      return { locale: 'de' };
    });
    const client = await RawClient.to(app.url);
    await client.write(upgradeRequest(`/ws?token=${token}`));
    await asked;
    await client.reset();
    await gone;
    await welcomed(await app.connect({ token: testToken('bob') }));
    expect([doorman.seen, await app.realtime.connectionsOf('ann')]).toEqual([[{}], []]);
  });

  it('leaves nothing of one that sent its first command', async () => {
    let reached!: () => void;
    const asked = new Promise<void>((resolve) => (reached = resolve));
    let release!: () => void;
    const released = new Promise<void>((resolve) => (release = resolve));
    const { app } = await stage(async () => (reached(), await released, { locale: 'de' }));
    const client = await app.connect();
    client.send({ action: 'auth', token });
    await asked;
    client.socket.terminate();
    release();
    // A socket that is not read is known to be gone only when it is read again.
    await vi.waitFor(async () => expect(await app.realtime.counts()).toMatchObject({ connections: 0 }), 4_000);
  });
});

/** Values that are no metadata, and what the log says about them. */
const UNUSABLE: [what: string, value: unknown, fault: RegExp][] = [
  ['nothing', undefined, /metadata must be an object/],
  ['a text', 'hunter2', /metadata must be an object/],
  ['a list', ['hunter2'], /metadata must be an object/],
  ['a Map', new Map([['locale', 'hunter2']]), /metadata must be a plain object/],
  ['the headers of fetch', new Headers({ locale: 'hunter2' }), /metadata must be a plain object/],
  ['a Set in a key', { seats: new Set(['hunter2']) }, /metadata\.seats cannot be serialised as JSON: it is a Set/],
  ['a BigInt in a key', { seat: 1n }, /metadata\.seat cannot be serialised as JSON: it is a BigInt/],
  ['a key that throws', { at: { toJSON: () => fail() } }, /metadata\.at cannot be serialised as JSON: RangeError/],
  ['a name that reaches a prototype', { constructor: 'hunter2' }, /metadata\.constructor is a reserved name/],
  ['more than there is room for', { text: 'hunter2'.repeat(10_000) }, /metadata must have at most 65536 characters/],
];

function fail(): never {
  throw new RangeError('hunter2');
}

describe('Metadata that is', () => {
  it.each(UNUSABLE)(
    '%s keeps a client out for a while, and the log says what is wrong, once',
    async (_what, value, fault) => {
      const { app, logger } = await stage(() => value as never);
      for (let n = 0; n < 2; n++) {
        await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, body: { code: 'UNAVAILABLE' } });
      }
      const lines = logger.lines.filter((line) => line.includes('metadata returned a value that cannot be used'));
      expect(lines).toEqual([expect.stringMatching(fault)]);
      expect(logger.lines.join('\n')).not.toContain('hunter2');
    },
  );

  it('away for a known time has the client come back then', async () => {
    const { app } = await stage(() => {
      throw new RealtimeError('UNAVAILABLE', 'The directory is away.', { retryAfterMs: 7_000 });
    });
    await expect(app.connect({ token })).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '7' } });
  });
});
