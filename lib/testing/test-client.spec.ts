import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestClient, UpgradeRefusedError } from './test-client.js';

let server: Server;
let sockets: WebSocketServer;
let url: string;
/** Handles a socket on the server; `heard` records the frames that it received. */
let onConnection: (socket: WebSocket, request: { url?: string }) => void;
let heard: string[];

beforeEach(async () => {
  heard = [];
  onConnection = () => undefined;
  server = createServer();
  sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    socket.on('message', (data: Buffer) => heard.push(data.toString()));
    onConnection(socket, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
});

afterEach(async () => {
  sockets.clients.forEach((socket) => socket.terminate());
  await new Promise((resolve) => server.close(resolve));
});

const frame = (type: string, more: object = {}) => JSON.stringify({ type, timestamp: 'now', ...more });

/** Answers every ping, as the server of this package does. */
function answerPings(socket: WebSocket): void {
  socket.on('message', (data: Buffer) => {
    const [, id] = /"action":"ping","id":"(.*)"/.exec(data.toString()) ?? [];
    if (id !== undefined) socket.send(frame('realtime:pong', { id }));
  });
}

describe('connecting', () => {
  it('puts the token into the query, escaped, and leaves the rest of the URL as it is', async () => {
    let asked: string | undefined;
    onConnection = (_socket, request) => (asked = request.url);
    const client = await TestClient.connect(`${url}?room=1`, { token: 'a b&c' });
    await client.close();
    expect(asked).toBe('/ws?room=1&token=a+b%26c');
  });

  it('misses no frame that comes with the answer to the upgrade', async () => {
    onConnection = (socket) => socket.send(frame('first'));
    const client = await TestClient.connect(url);
    expect(await client.next()).toMatchObject({ type: 'first' });
  });

  it('fails with the status, the headers and the body of a refusal', async () => {
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_request, socket) => {
      const body = '{"code":"FORBIDDEN"}';
      const head = ['HTTP/1.1 403 Forbidden', 'Retry-After: 3', `Content-Length: ${body.length}`, 'Connection: close'];
      socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
    });
    const refusal: unknown = await TestClient.connect(url).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(UpgradeRefusedError);
    expect(refusal).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' }, headers: { 'retry-after': '3' } });
  });

  it('fails with the text of a refusal that is no JSON', async () => {
    server.removeAllListeners('upgrade');
    server.on('upgrade', (_request, socket) => {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\nConnection: close\r\n\r\nOops');
    });
    await expect(TestClient.connect(url)).rejects.toMatchObject({ status: 502, body: 'Oops' });
  });

  it('fails when nobody listens', async () => {
    await new Promise((resolve) => server.close(resolve));
    await expect(TestClient.connect(url)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('a test client', () => {
  /** Connects to a server that sends these frames. */
  async function receiving(...frames: string[]): Promise<TestClient> {
    onConnection = (socket) => {
      for (const each of frames) socket.send(each);
      answerPings(socket);
    };
    return TestClient.connect(url);
  }

  it('gives frames in the order in which they came', async () => {
    const client = await receiving(frame('a'), frame('b'));
    expect([await client.next(), await client.next()]).toMatchObject([{ type: 'a' }, { type: 'b' }]);
  });

  it('gives the frame of a type, and keeps the others', async () => {
    const client = await receiving(frame('a'), frame('b'));
    expect([await client.next('b'), await client.next()]).toMatchObject([{ type: 'b' }, { type: 'a' }]);
  });

  it('gives the frame that passes a test', async () => {
    const client = await receiving(frame('a', { payload: 1 }), frame('a', { payload: 2 }));
    expect(await client.next(({ payload }) => payload === 2)).toMatchObject({ payload: 2 });
  });

  it('says what had arrived when the deadline for a frame passes', async () => {
    const client = await receiving(frame('a'));
    await client.settled();
    await expect(client.next('b', 10)).rejects.toThrow('No such frame within 10 ms; waiting to be taken: [{"type":"a"');
  });

  it('says so when the deadline for a close passes', async () => {
    const client = await receiving();
    await expect(client.nextClose(10)).rejects.toThrow('No such close within 10 ms');
  });

  it('gives the code and the reason of a close', async () => {
    onConnection = (socket) => socket.close(3503, 'enough');
    const client = await TestClient.connect(url);
    expect(await client.nextClose()).toEqual({ code: 3503, reason: 'enough' });
  });

  it('gives 1006 when the socket broke', async () => {
    onConnection = (socket) => socket.terminate();
    const client = await TestClient.connect(url);
    expect(await client.nextClose()).toEqual({ code: 1006, reason: '' });
  });

  it('sends objects as JSON and strings as they are', async () => {
    const client = await receiving();
    client.send({ action: 'x' });
    client.send('{');
    await expect.poll(() => heard).toEqual(['{"action":"x"}', '{']);
  });

  it('gives every request an id of its own, and resolves with the answer to it', async () => {
    const client = await receiving(frame('realtime:pong', { id: 'other' }));
    const [one, two] = [await client.request({ action: 'ping' }), await client.request({ action: 'ping' })];
    expect([one.id === two.id, client.pending.map(({ id }) => id)]).toEqual([false, ['other']]);
  });

  it('is settled once everything that was sent before has arrived', async () => {
    const client = await receiving(frame('a'), frame('b'));
    await client.settled();
    expect(client.pending.map(({ type }) => type)).toEqual(['a', 'b']);
  });

  it('closes, and is closed when that is done', async () => {
    const client = await receiving();
    await client.close();
    expect(await client.nextClose()).toMatchObject({ code: 1005 });
  });

  it('may be closed twice', async () => {
    const client = await receiving();
    await client.close();
    await expect(client.close()).resolves.toBeUndefined();
  });

  it('may be closed by two at once', async () => {
    const client = await receiving();
    await expect(Promise.all([client.close(), client.close()])).resolves.toBeDefined();
  });

  it('closes even while it is paused', async () => {
    const client = await receiving();
    client.socket.pause();
    await expect(client.close()).resolves.toBeUndefined();
  });
});
