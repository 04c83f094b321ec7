import { Authenticator, JwtVerifier, RealtimeModule, type RealtimeOptions } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { describe, expect, it, vi } from 'vitest';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import {
  listen,
  PLATFORMS,
  TEST_TOKENS,
  welcomed,
  type ListeningApp,
  type Platform,
} from '../../helpers/listening-app.js';
import { clientFrame, RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { HeldVerifier } from '../../helpers/slow-verifier.js';

const token = testToken('eve');
const TARGET = `/ws?token=${token}`;

/** Starts an application, runs a misbehaving client, and reports whether other clients would notice. */
async function afterwards(
  misbehave: (app: ListeningApp) => Promise<unknown>,
  { platform = 'Express', options = {} }: { platform?: Platform; options?: RealtimeOptions } = {},
): Promise<{ others: string; counts: object; crashes: readonly unknown[] }> {
  const crashes = watchForCrashes();
  const realtime = RealtimeModule.forRoot({ ...options, providers: [TEST_TOKENS] });
  const app = await listen({ platform, imports: [realtime] });
  await misbehave(app);
  const good = await app.connect({ token: testToken('ann') });
  const others = await welcomed(good);
  await good.close();
  await vi.waitFor(async () => expect((await app.realtime.counts()).connections).toBe(0), 15_000);
  return { others, counts: await app.realtime.counts(), crashes };
}

const UNHARMED = {
  others: 'ann',
  counts: { connections: 0, users: 0, topics: 0, subscriptions: 0 },
  crashes: [],
};

async function requested(app: ListeningApp, target = TARGET): Promise<RawClient> {
  const client = await RawClient.to(app.url);
  await client.write(upgradeRequest(target));
  return client;
}

async function connected(app: ListeningApp): Promise<RawClient> {
  const client = await requested(app);
  await client.heard('realtime:welcome');
  return client;
}

const CASES: [string, (app: ListeningApp) => Promise<unknown>][] = [
  ['resets its socket before it says anything', async (app) => (await RawClient.to(app.url)).reset()],
  [
    'resets its socket in the middle of the request',
    async (app) => {
      const client = await RawClient.to(app.url);
      await client.write(upgradeRequest(TARGET).slice(0, 40));
      await client.reset();
    },
  ],
  ['resets its socket right behind the request', async (app) => (await requested(app)).reset()],
  [
    'resets its socket right behind the answer 101',
    async (app) => {
      const client = await requested(app);
      await client.heard('101 Switching Protocols');
      await client.reset();
    },
  ],
  [
    'resets its socket in the middle of a frame',
    async (app) => {
      const client = await connected(app);
      await client.write(clientFrame({ action: 'ping', id: 1 }).subarray(0, 5));
      await client.reset();
    },
  ],
  ['resets its socket while it is answered 401', async (app) => (await requested(app, '/ws?token=broken')).reset()],
  ['resets its socket while it is answered 404', async (app) => (await requested(app, '/nowhere')).reset()],
  [
    'closes its side before the answer',
    async (app) => {
      const client = await requested(app);
      client.halfClose();
      await client.closed();
    },
  ],
  [
    'closes its side after the answer',
    async (app) => {
      const client = await connected(app);
      client.halfClose();
      await client.closed();
    },
  ],
  [
    'closes its side in the middle of a frame',
    async (app) => {
      const client = await connected(app);
      await client.write(clientFrame({ action: 'ping', id: 1 }).subarray(0, 5));
      client.halfClose();
      await client.closed();
    },
  ],
  [
    'sends garbage in place of a request',
    async (app) => {
      const client = await RawClient.to(app.url);
      await client.write(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0a]));
      await client.closed();
    },
  ],
  [
    'sends garbage in place of a frame',
    async (app) => {
      const client = await connected(app);
      await client.write(Buffer.alloc(64, 0xff));
      await client.closed();
    },
  ],
  [
    'sends a frame without a mask',
    async (app) => {
      const client = await connected(app);
      await client.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
      await client.closed();
    },
  ],
  [
    'sends text that is no UTF-8',
    async (app) => {
      const client = await connected(app);
      await client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
      await client.closed();
    },
  ],
  [
    'sends a close frame with a reserved code',
    async (app) => {
      const client = await connected(app);
      await client.write(Buffer.from([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xed]));
      await client.closed();
    },
  ],
];

describe.each(PLATFORMS)('On %s nobody else notices a client that', (platform) => {
  it.each(CASES)('%s', async (_what, misbehave) => {
    expect(await afterwards(misbehave, { platform })).toEqual(UNHARMED);
  });
});

describe('While a token is being verified, nobody else notices a client that', () => {
  async function during(misbehave: (client: RawClient) => unknown, first = upgradeRequest(TARGET), more = '') {
    const crashes = watchForCrashes();
    const verifier = new HeldVerifier();
    const ports = [{ provide: JwtVerifier, useValue: verifier }];
    const app = await listen({
      imports: [RealtimeModule.forRoot({ token: { firstCommand: true }, providers: ports })],
    });
    const client = await RawClient.to(app.url);
    await client.write(first);
    if (more) {
      await client.heard('101 Switching Protocols');
      await client.write(clientFrame({ action: 'auth', token: more }));
    }
    await verifier.begun;
    await misbehave(client);
    verifier.release();
    const good = await app.connect({ token: testToken('ann') });
    const others = await welcomed(good);
    await good.close();
    await client.closed();
    await vi.waitFor(async () => expect((await app.realtime.counts()).connections).toBe(0), 15_000);
    return { others, counts: await app.realtime.counts(), crashes };
  }

  const phases: [string, string, string][] = [
    ['of a request', upgradeRequest(TARGET), ''],
    ['of the first command', upgradeRequest('/ws'), token],
  ];

  it.each(phases)('resets its socket (token %s)', async (_phase, first, more) => {
    expect(await during((client) => client.reset(), first, more)).toEqual(UNHARMED);
  });

  it.each(phases)('closes its side (token %s)', async (_phase, first, more) => {
    expect(await during((client) => client.halfClose(), first, more)).toEqual(UNHARMED);
  });
});

describe('A request that is no handshake of WebSocket', () => {
  async function answerTo(request: string): Promise<string> {
    let answer = '';
    await afterwards(async (app) => {
      const client = await RawClient.to(app.url);
      await client.write(request);
      answer = await client.closed();
    });
    return answer.split('\r\n', 1)[0]!;
  }

  it.each([
    ['without a key', { 'Sec-WebSocket-Key': undefined }, '400 Bad Request'],
    ['with a key that is none', { 'Sec-WebSocket-Key': 'hello' }, '400 Bad Request'],
    ['of an unknown version', { 'Sec-WebSocket-Version': '99' }, '400 Bad Request'],
    ['for another protocol', { Upgrade: 'h2c' }, '400 Bad Request'],
    ['with sub-protocols that are none', { 'Sec-WebSocket-Protocol': 'a,,b' }, '400 Bad Request'],
  ])('%s is answered with an error', async (_what, headers, status) => {
    expect(await answerTo(upgradeRequest(TARGET, headers))).toBe(`HTTP/1.1 ${status}`);
  });

  it('of another method is answered with an error', async () => {
    expect(await answerTo(upgradeRequest(TARGET).replace('GET', 'POST'))).toBe('HTTP/1.1 405 Method Not Allowed');
  });
});

describe('A request whose target is', () => {
  async function statusOf(target: string): Promise<string> {
    let answer = '';
    const state = await afterwards(async (app) => {
      const client = await requested(app, target);
      answer = await client.heard('\r\n\r\n');
      client.socket.destroy();
    });
    expect(state).toEqual(UNHARMED);
    return answer.slice('HTTP/1.1 '.length, 'HTTP/1.1 101'.length);
  }

  it.each([
    ['an absolute URL', `http://127.0.0.1/ws?token=${token}`, '101'],
    ['an absolute URL of another path', 'http://127.0.0.1/nowhere', '404'],
    ['an absolute URL without a host', 'http://', '404'],
    ['a star', '*', '404'],
    ['two slashes', '//', '404'],
    ['a broken escape', '/%', '404'],
    ['an absolute URL whose host is none', 'http://[::/ws', '401'],
    ['a broken escape as the token', '/ws?token=%', '401'],
    ['an empty token', '/ws?token=', '401'],
    ['a query of question marks', '/ws????', '401'],
    ['a name from the prototype', '/ws?__proto__=1&constructor=2', '401'],
    ['a very long token', `/ws?token=${'x'.repeat(10_000)}`, '401'],
  ])('%s is answered', async (_what, target, status) => {
    expect(await statusOf(target)).toBe(status);
  });
});

describe('A frame that comes in one piece with the request', () => {
  it('is answered behind the welcome', async () => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })] });
    const client = await RawClient.to(app.url);
    await client.write(Buffer.concat([Buffer.from(upgradeRequest(TARGET)), clientFrame({ action: 'ping', id: 1 })]));
    expect(await client.heard('realtime:pong')).toMatch(/realtime:welcome.*realtime:pong/s);
  });

  it('is answered when the verifier was slow', async () => {
    const verifier = new HeldVerifier();
    const ports = [{ provide: JwtVerifier, useValue: verifier }];
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: ports })] });
    const client = await RawClient.to(app.url);
    await client.write(Buffer.concat([Buffer.from(upgradeRequest(TARGET)), clientFrame({ action: 'ping', id: 1 })]));
    await verifier.begun;
    await client.write(clientFrame({ action: 'ping', id: 2 }));
    verifier.release();
    expect(await client.heard('"id":2')).toMatch(/"id":1.*"id":2/s);
  });

  it('is taken for the first command', async () => {
    const realtime = RealtimeModule.forRoot({ token: { firstCommand: true }, providers: [TEST_TOKENS] });
    const app = await listen({ imports: [realtime] });
    const client = await RawClient.to(app.url);
    const command = clientFrame({ action: 'auth', token });
    await client.write(Buffer.concat([Buffer.from(upgradeRequest('/ws')), command]));
    expect(await client.heard('realtime:welcome')).toContain('"userId":"eve"');
  });
});

describe('An Authenticator that breaks its promise', () => {
  const identity = { userId: 'ann', roles: 7, permissions: [], metadata: {} };
  const useValue = { authenticate: () => Promise.resolve({ identity }) };
  const breaking = RealtimeModule.forRoot({
    token: { firstCommand: true },
    providers: [TEST_TOKENS, { provide: Authenticator, useValue }],
  });

  it('costs one connection', async () => {
    const app = await listen({ imports: [breaking] });
    const client = await app.connect({ token: 'any' });
    expect((await client.nextClose()).code).toBe(3004);
  });

  it('costs one connection that sent its token as the first command', async () => {
    const app = await listen({ imports: [breaking] });
    const client = await app.connect();
    client.send({ action: 'auth', token: 'any' });
    expect((await client.nextClose()).code).toBe(3004);
  });

  it('does not harm the process', async () => {
    const crashes = watchForCrashes();
    const app = await listen({ imports: [breaking] });
    await (await app.connect({ token: 'any' })).nextClose();
    expect(crashes).toEqual([]);
  });
});
