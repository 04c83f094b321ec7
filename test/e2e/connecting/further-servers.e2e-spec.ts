import { OnDisconnect, RealtimeService } from 'nestjs-realtime';
import { TestClient, testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { welcomed } from '../../helpers/listening-app.js';
import { RawClient, upgradeRequest } from '../../helpers/raw-client.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

const token = testToken('ann');

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function connectTo(host: string): Promise<TestClient> {
  const client = await TestClient.connect(`ws://${host}/ws`, { token });
  onTestFinished(() => client.close());
  return client;
}

describe('A further HTTP server', () => {
  it('is served beside that of the application', async () => {
    const app = await startRealtimeApp();
    const server = createServer();
    app.realtime.acceptFrom(server);
    expect(await welcomed(await connectTo(await listening(server)))).toBe('ann');
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
  });

  it('has its connections reached by what is sent', async () => {
    const app = await startRealtimeApp();
    const server = createServer();
    app.realtime.acceptFrom(server);
    const client = await connectTo(await listening(server));
    await client.next('realtime:welcome');
    expect(await app.realtime.sendToUser('ann', { type: 'news' })).toMatchObject({ recipients: 1 });
    await client.next('news');
  });

  it('may be given before the application is initialised', async () => {
    const server = createServer();
    await startRealtimeApp({ configure: (app) => void app.get(RealtimeService).acceptFrom(server) });
    expect(await welcomed(await connectTo(await listening(server)))).toBe('ann');
  });

  it('may be one of node:https', async () => {
    const app = await startRealtimeApp();
    // A key that both sides know stands for a certificate.
    const psk = Buffer.alloc(16, 7);
    const secure = { ciphers: 'PSK', maxVersion: 'TLSv1.2' as const };
    const server = createSecureServer({ ...secure, pskCallback: () => psk });
    app.realtime.acceptFrom(server);
    const client = new WebSocket(`wss://${await listening(server)}/ws?token=${token}`, {
      ...secure,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
    } as object);
    onTestFinished(() => client.terminate());
    const [data] = (await once(client, 'message')) as [Buffer];
    expect(JSON.parse(data.toString())).toMatchObject({ type: 'realtime:welcome', payload: { userId: 'ann' } });
  });

  it('that closes with the application does not wait for an unfinished request head', async () => {
    const app = await startRealtimeApp();
    const server = createServer();
    app.realtime.acceptFrom(server);
    const host = await listening(server);
    const accepted = once(server, 'connection');
    const client = await RawClient.to(`http://${host}`);
    await accepted;
    await client.write('GET /ws HTTP/1.1\r\nHost: x\r\n');
    const closed = once(server, 'close');
    server.close();
    await app.close();
    await closed;
  });

  it('answers 401 and 404 as that of the application does', async () => {
    const app = await startRealtimeApp();
    const server = createServer();
    app.realtime.acceptFrom(server);
    const host = await listening(server);
    await expect(TestClient.connect(`ws://${host}/ws`)).rejects.toMatchObject({ status: 401 });
    await expect(TestClient.connect(`ws://${host}/nowhere`)).rejects.toMatchObject({ status: 404 });
  });

  it('keeps its own requests and upgrade listeners', async () => {
    const app = await startRealtimeApp();
    const greet: RequestListener = (_request, response) => void response.end('hello');
    const server = createServer(greet);
    app.realtime.acceptFrom(server);
    server.on('upgrade', (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\nmine!'));
    const host = await listening(server);
    expect(await (await fetch(`http://${host}/`)).text()).toBe('hello');
    const client = await RawClient.to(`http://${host}`);
    await client.write(upgradeRequest('/mine'));
    expect(await client.closed()).toContain('mine!');
  });

  it('is drained with the application, after whose end it is left alone', async () => {
    class Hooks {
      static left = 0;
      @OnDisconnect() left() {
        Hooks.left += 1;
      }
    }
    const app = await startRealtimeApp({ providers: [Hooks] });
    const server = createServer();
    app.realtime.acceptFrom(server);
    const client = await connectTo(await listening(server));
    await client.next('realtime:welcome');
    await app.app.close();
    expect((await client.nextClose()).code).toBe(3001);
    expect([Hooks.left, server.listenerCount('upgrade')]).toEqual([1, 0]);
  });

  it('is left alone once it is stopped, and keeps the connections that it has', async () => {
    const app = await startRealtimeApp();
    const server = createServer();
    const stop = app.realtime.acceptFrom(server);
    const client = await connectTo(await listening(server));
    await client.next('realtime:welcome');
    stop();
    stop();
    expect(server.listenerCount('upgrade')).toBe(0);
    await app.realtime.sendToUser('ann', { type: 'news' });
    await client.next('news');
  });
});

describe('The server of the application', () => {
  it('goes on when it is given again and stopped', async () => {
    const app = await startRealtimeApp();
    app.realtime.acceptFrom(app.app.getHttpServer())();
    expect(await welcomed(await app.connect({ token }))).toBe('ann');
  });
});

it.each<[string, unknown]>([
  ['nothing', undefined],
  ['an object', {}],
  ['an address', 'localhost:80'],
  ['a server of node:net', createNetServer()],
  ['a server of node:http2', createHttp2Server()],
])('%s is refused as a server', async (_what, value) => {
  const { realtime } = await startRealtimeApp();
  expect(() => realtime.acceptFrom(value as never)).toThrow('server must be a server of node:http or node:https');
});

it('A server is refused once the application has been closed', async () => {
  const { app, realtime } = await startRealtimeApp();
  await app.close();
  expect(() => realtime.acceptFrom(createServer())).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
});
