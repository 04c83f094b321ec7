import { Controller, Get, Post } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RealtimeModule } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RequestHeads } from '../../../lib/gateway/upgrade/request-heads.js';
import { listen, PLATFORMS, TEST_TOKENS, type ListeningApp, type Platform } from '../../helpers/listening-app.js';
import { RawClient } from '../../helpers/raw-client.js';

/** Answers when it is told to. */
class SlowWork {
  static finish: (text: string) => void;
  static begun: Promise<void>;
  static #began: () => void;

  static reset(): void {
    SlowWork.begun = new Promise((resolve) => (SlowWork.#began = resolve));
  }

  static work(): Promise<string> {
    SlowWork.#began();
    return new Promise((resolve) => (SlowWork.finish = resolve));
  }
}

@Controller()
class WorkController {
  @Get('slow')
  slow() {
    return SlowWork.work();
  }

  @Get('fast')
  fast() {
    return 'done at once';
  }

  @Post('upload')
  upload() {
    return 'arrived';
  }
}

function start(platform: Platform): Promise<ListeningApp> {
  SlowWork.reset();
  const module = RealtimeModule.forRoot({ providers: [TEST_TOKENS] });
  return listen({ platform, controllers: [WorkController], imports: [module] });
}

async function says(app: ListeningApp, text: string): Promise<RawClient> {
  const client = await RawClient.to(app.url);
  await client.write(text);
  return client;
}

/** True when it ends in time: before the server would end unfinished heads by itself, after 15 s. */
async function closes(app: Pick<ListeningApp, 'app'>, timeoutMs = 10_000): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), timeoutMs)));
  const closed = await Promise.race([app.app.close().then(() => true), late]);
  clearTimeout(timer);
  return closed;
}

describe.each(PLATFORMS)('On %s an application closes', (platform) => {
  it.each([
    ['a head that never ends', 'GET /ws HTTP/1.1\r\nHost: x\r\n'],
    ['a request line that never ends', 'GET /w'],
    ['the head of an ordinary request that never ends', 'POST /fast HTTP/1.1\r\nHost: x\r\nContent-Le'],
    ['nothing', ''],
  ])('although a client has sent %s', async (_what, text) => {
    const app = await start(platform);
    await app.connect({ token: testToken('ann') });
    const client = await says(app, text);
    // So that the server has read it.
    await fetch(`${app.url}/fast`);
    expect(await closes(app)).toBe(true);
    await client.closed();
  });

  it('although a client has begun a second request', async () => {
    const app = await start(platform);
    const client = await says(app, 'GET /fast HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.heard('done at once');
    await client.write('GET /fast HTTP/1.1\r\nHo');
    await fetch(`${app.url}/fast`);
    expect(await closes(app)).toBe(true);
  });

  it('only after a request that is being answered', async () => {
    const app = await start(platform);
    const client = await says(app, 'GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await SlowWork.begun;
    const closing = closes(app);
    await vi.waitUntil(() => !(app.app.getHttpServer() as Server).listening, 15_000);
    setTimeout(() => SlowWork.finish('answered in the end'), 200);
    expect(await client.closed()).toContain('answered in the end');
    expect(await closing).toBe(true);
  });

  it('twin: not while such sockets are left alone', async () => {
    const end = vi.spyOn(RequestHeads.prototype, 'endWhenClosing').mockReturnValue();
    onTestFinished(() => end.mockRestore());
    const app = await start(platform);
    const client = await says(app, 'GET /ws HTTP/1.1\r\nHost: x\r\n');
    await fetch(`${app.url}/fast`);
    expect(await closes(app, 500)).toBe(false);
    client.socket.destroy();
  });

  it('and heads may take 15 s where the application has left the default', async () => {
    const app = await start(platform);
    expect((app.app.getHttpServer() as Server).headersTimeout).toBe(15_000);
  });
});

/** Requests whose head is complete, and whose body never is. */
const BODIES = [
  'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
  'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n',
  'POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
];

async function withUnfinishedBodies(platform: Platform) {
  const app = await start(platform);
  const clients = await Promise.all(BODIES.map((text) => says(app, text)));
  await fetch(`${app.url}/fast`);
  return { app, clients };
}

it('An application closes within seconds although the bodies of requests never end, not so in a twin', async () => {
  const [twin, ...others] = await Promise.all(['Express' as const, ...PLATFORMS].map(withUnfinishedBodies));
  const end = vi.spyOn(RequestHeads.prototype, 'endWhenClosing').mockReturnValueOnce();
  onTestFinished(() => end.mockRestore());
  let isTwinClosed = false;
  const twinClosing = twin!.app.app.close().then(() => (isTwinClosed = true));
  await vi.waitUntil(() => end.mock.calls.length === 1, 15_000);
  expect(await Promise.all(others.map(({ app }) => closes(app, 15_000)))).toEqual([true, true]);
  expect(isTwinClosed).toBe(false);
  for (const { socket } of twin!.clients) socket.destroy();
  await twinClosing;
});

describe.each(PLATFORMS)('On %s over TLS an application closes', (platform) => {
  // A key that both sides know stands for a certificate.
  const psk = Buffer.alloc(16, 7);
  const secure = { ciphers: 'PSK', maxVersion: 'TLSv1.2' as const };

  async function startSecure() {
    SlowWork.reset();
    const https = { ...secure, pskCallback: () => psk };
    class AppModule {}
    const module = {
      module: AppModule,
      controllers: [WorkController],
      imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })],
    };
    const adapter = platform === 'Fastify' ? new FastifyAdapter({ https }) : new ExpressAdapter();
    const app = await NestFactory.create(module, adapter, { logger: false, httpsOptions: https });
    await app.listen(0, '127.0.0.1');
    onTestFinished(() => app.close());
    const { port } = app.getHttpServer().address() as AddressInfo;
    return { app, port, url: `https://127.0.0.1:${port}` };
  }

  /** A client that has finished its handshake; the server has accepted all that connected before it. */
  async function secureClient(port: number): Promise<TLSSocket> {
    const options = { ...secure, pskCallback: () => ({ psk, identity: 'x' }), checkServerIdentity: () => undefined };
    const socket = connectTls({ port, host: '127.0.0.1', ...options }).on('error', () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  it.each([
    ['nothing', ''],
    ['a handshake that never ends', '\x16\x03\x01'],
  ])('although a client has sent %s', async (_what, text) => {
    const app = await startSecure();
    const client = await RawClient.to(app.url);
    await client.write(text);
    await secureClient(app.port);
    expect(await closes(app)).toBe(true);
    await client.closed();
  });

  it('only after a request that is being answered', async () => {
    const app = await startSecure();
    const client = await secureClient(app.port);
    client.write('GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await SlowWork.begun;
    const closing = closes(app);
    await vi.waitUntil(() => !(app.app.getHttpServer() as Server).listening, 15_000);
    setTimeout(() => SlowWork.finish('answered in the end'), 200);
    expect(String(Buffer.concat(await client.toArray()))).toContain('answered in the end');
    expect(await closing).toBe(true);
  });

  it('twin: not while unfinished handshakes are left alone', async () => {
    const end = vi.spyOn(RequestHeads.prototype, 'endWhenClosing').mockReturnValue();
    onTestFinished(() => end.mockRestore());
    const app = await startSecure();
    const client = await RawClient.to(app.url);
    await secureClient(app.port).then((other) => other.destroy());
    expect(await closes(app, 500)).toBe(false);
    client.socket.destroy();
  });
});

it('A timeout for heads that the application has set stays', async () => {
  const app = await listen({
    imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })],
    configure: (nest) => void ((nest.getHttpServer() as Server).headersTimeout = 30_000),
  });
  expect((app.app.getHttpServer() as Server).headersTimeout).toBe(30_000);
});
