import { Injectable, Logger } from '@nestjs/common';
import {
  JwtVerifier,
  OnConnect,
  OnMessage,
  OnSubscribe,
  RealtimeModule,
  TopicGateway,
  type RealtimeOptions,
} from 'nestjs-realtime';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { listen, type AppParts, type ListeningApp } from '../../helpers/listening-app.js';
import { LogRecorder, recordOutput } from '../../helpers/log-recorder.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { SECRET, signedToken } from '../../helpers/signed-token.js';

const good = signedToken({ sub: 'ann', roles: ['admin'], email: 'ann@example.com' });
const bad = signedToken({ sub: 'ann' }, { secret: 'another secret that is long enough for this' });
const expired = signedToken({ sub: 'ann', exp: 1_000_000_000 });
const OPTIONS: RealtimeOptions = { jwt: { secret: SECRET, algorithms: ['HS256'] }, token: { firstCommand: true } };

@Injectable()
@TopicGateway('room:{id}')
class Rooms {
  @OnSubscribe() join() {
    return true;
  }

  @OnMessage('fail') fail() {
    throw new Error('The handler failed.');
  }
}

@Injectable()
class FailingHook {
  @OnConnect() connected() {
    throw new Error('The hook failed.');
  }
}

/** A verifier whose errors quote what it was given, as careless libraries do. */
const quoting = {
  provide: JwtVerifier,
  useValue: { verify: (token: string) => Promise.reject(new Error(`Bad token: ${token}`)) },
};
const never = { provide: JwtVerifier, useValue: { verify: () => new Promise<never>(() => undefined) } };

/** The lines that give away the token, one of its parts, or 16 characters in a row of its signature. */
function leaks(lines: readonly string[], token: string): string[] {
  const parts = token.split('.');
  const signature = parts.at(-1)!;
  const slices = Array.from({ length: signature.length - 15 }, (_, at) => signature.slice(at, at + 16));
  const secrets = [token, ...parts, ...slices];
  return lines.filter((line) => secrets.some((secret) => line.includes(secret)));
}

/** Everything that an application writes while something is done with it, and while it shuts down. */
async function written(
  work: (app: ListeningApp) => Promise<unknown>,
  { imports = [RealtimeModule.forRoot(OPTIONS)], ...parts }: AppParts = {},
): Promise<string[]> {
  const output = recordOutput();
  const logger = new LogRecorder();
  const app = await listen({ ...parts, imports, logger });
  await work(app);
  await app.close();
  return [...logger.lines, ...output];
}

const withOptions = (options: RealtimeOptions): AppParts => ({
  imports: [RealtimeModule.forRoot({ ...OPTIONS, ...options })],
});
const withVerifier = (
  provider: { provide: typeof JwtVerifier; useValue: JwtVerifier },
  more: RealtimeOptions = {},
) => ({
  imports: [RealtimeModule.forRoot({ ...OPTIONS, ...more, providers: [provider] })],
});
const throwing = (text: string) => () => {
  throw new Error(text);
};

async function connect(app: ListeningApp, token: string): Promise<void> {
  const client = await app.connect({ token });
  await client.next('realtime:welcome');
}

async function refused(app: ListeningApp, token: string): Promise<void> {
  await expect(app.connect({ token })).rejects.toThrow();
}

async function firstCommand(app: ListeningApp, token: string): Promise<void> {
  const client = await app.connect();
  client.send({ action: 'auth', token });
  await client.next();
}

async function rawRequest(app: ListeningApp, request: string): Promise<void> {
  const client = await RawClient.to(app.url);
  await client.write(request);
  await client.closed();
}

const SCENARIOS: [string, string, (app: ListeningApp, token: string) => Promise<unknown>, AppParts?][] = [
  ['a good token in the query', good, connect],
  ['a good token in the header', good, (app, token) => app.connect({ headers: { Authorization: `Bearer ${token}` } })],
  [
    'a good token in the sub-protocol',
    good,
    (app, token) => app.connect({ protocols: ['realtime', `bearer.${token}`] }),
  ],
  ['a good token as the first command', good, firstCommand],
  ['a bad token', bad, refused],
  ['an expired token', expired, refused],
  ['a bad token as the first command', bad, firstCommand],
  ['a token that the verifier quotes in its error', good, refused, withVerifier(quoting)],
  ['a first command that the verifier quotes in its error', good, firstCommand, withVerifier(quoting)],
  ['a token that takes too long to verify', good, refused, withVerifier(never, { limits: { authTimeoutMs: 50 } })],
  ['a function for claims that throws', good, refused, withOptions({ claims: throwing('No such user.') })],
  [
    'a function for claims that returns nonsense',
    good,
    refused,
    withOptions({ claims: () => ({ userId: 7 as never }) }),
  ],
  [
    'a token.from that quotes the URL in its error',
    good,
    refused,
    withOptions({ token: { from: ({ url }: IncomingMessage) => throwing(String(url))() } }),
  ],
  ['a hook that throws', good, connect, { providers: [FailingHook] }],
  [
    'a handler that throws',
    good,
    async (app, token) => {
      const client = await app.connect({ token });
      await client.request({ action: 'subscribe', topic: 'room:1' });
      await client.request({ action: 'message', topic: 'room:1', type: 'fail', payload: { token } });
    },
    { providers: [Rooms] },
  ],
  [
    'frames that are no commands',
    good,
    async (app, token) => {
      const client = await app.connect({ token });
      client.send(`{"action":"auth","token":"${token}"`);
      client.send({ action: 'auth', token: [token] });
      client.send({ action: token, token });
      client.send({ action: 'auth', id: { token }, token });
      await client.settled();
    },
  ],
  [
    'a bad token in place of a good one',
    bad,
    async (app, token) => {
      const client = await app.connect({ token: good });
      await client.request({ action: 'auth', token });
    },
  ],
  [
    'a token sent to an unknown path',
    good,
    (app, token) => expect(app.connectTo('/nowhere', { token })).rejects.toThrow(),
  ],
  [
    'a token in a broken handshake',
    good,
    (app, token) => rawRequest(app, upgradeRequest(`/ws?token=${token}`, { 'Sec-WebSocket-Key': 'none' })),
  ],
  [
    'a token in a request that is no HTTP',
    good,
    (app, token) => rawRequest(app, `GET /ws?token=${token} HTTQ/9\r\n\r\n`),
  ],
  [
    'a client that breaks the protocol',
    good,
    async (app, token) => {
      const client = await RawClient.to(app.url);
      await client.write(upgradeRequest(`/ws?token=${token}`));
      await client.heard('realtime:welcome');
      await client.write(token);
      await client.closed();
    },
  ],
];

describe('Nothing of the token is written for', () => {
  it.each(SCENARIOS)('%s', async (_what, token, work, parts) => {
    expect(leaks(await written((app) => work(app, token), parts), token)).toEqual([]);
  });
});

describe('What these tests look into', () => {
  it('has the debug lines', async () => {
    expect((await written((app) => refused(app, bad))).join('\n')).toMatch(/^debug Token refused/m);
  });

  it('has the stacks of errors', async () => {
    const [, , work, parts] = SCENARIOS.find(([what]) => what === 'a handler that throws')!;
    expect((await written((app) => work(app, good), parts)).join('\n')).toMatch(/The handler failed\.[^]* at /);
  });

  it('has what is printed past the logger', async () => {
    const lines = await written(async () => {
      console.log('printed');
      process.stderr.write('written');
    });
    expect(lines).toEqual(expect.arrayContaining(['printed', 'written']));
  });

  it.each([
    ['the token', good],
    ['its payload', good.split('.')[1]!],
    ['a piece of its signature', good.split('.')[2]!.slice(9, 25)],
  ])('would be found to hold %s', async (_what, secret) => {
    const lines = await written(async () => new Logger('App').verbose({ nested: { secret } }));
    expect(leaks(lines, good)).toHaveLength(1);
  });
});
