import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js';

const WHILE = '.';

/** A server that answers every text with `re:` before it, and remembers what it was told. */
async function startEcho(): Promise<{ readonly port: number; readonly heard: string[] }> {
  const heard: string[] = [];
  const port = await startServer((socket) => {
    socket.on('data', (chunk) => {
      heard.push(chunk.toString());
      socket.write(`re:${chunk.toString()}`);
    });
  });
  return { port, heard };
}

/** A server that reads everything and says nothing; it counts the bytes. */
async function startSink(): Promise<{ readonly port: number; readonly received: () => number }> {
  let received = 0;
  const port = await startServer((socket) => void socket.on('data', (chunk) => (received += chunk.length)));
  return { port, received: () => received };
}

async function startServer(serve: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    serve(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Goes past the proxy often enough that anything which went through it at once has arrived. */
async function aWhile(port: number): Promise<void> {
  const direct = dial({ port });
  for (let round = 0; round < 10; round++) await ask(direct, WHILE);
}

function dial(proxy: Pick<TcpProxy, 'port'>): Socket {
  const socket = connect(proxy.port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

async function join(proxy: TcpProxy): Promise<Socket> {
  const socket = dial(proxy);
  await once(socket, 'connect');
  return socket;
}

function end(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function ask(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString();
}

describe('TcpProxy', () => {
  it('hands requests and replies on', async () => {
    const { port } = await startEcho();
    expect(await ask(await join(await startTcpProxy(port)), 'a')).toBe('re:a');
  });

  it('hands the end of a connection on', async () => {
    const { port } = await startEcho();
    const socket = await join(await startTcpProxy(port));
    await ask(socket, 'a');
    socket.end();
    await once(socket, 'end');
  });

  it('hands on late, each way', async () => {
    const { port } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    proxy.delay(50);
    const start = performance.now();
    expect(await ask(socket, 'a')).toBe('re:a');
    expect(performance.now() - start).toBeGreaterThanOrEqual(95);
  });

  it('hands on in order when the delay ends', async () => {
    const { port, heard } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    await ask(socket, 'a');
    proxy.delay(200);
    socket.write('b');
    await aWhile(port);
    proxy.pass();
    socket.write('c');
    await expect.poll(() => heard.filter((text) => text !== WHILE).join('')).toBe('abc');
  });

  it('keeps what it is sent while it stalls, until it passes again', async () => {
    const { port, heard } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    await ask(socket, 'a');
    proxy.stall(['requests']);
    const answer = ask(socket, 'b');
    await aWhile(port);
    expect(heard.filter((text) => text !== WHILE)).toEqual(['a']);
    proxy.pass();
    expect(await answer).toBe('re:b');
  });

  it('lets requests through while it stalls the replies alone', async () => {
    const { port, heard } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    await ask(socket, 'a');
    proxy.stall(['replies']);
    const answer = ask(socket, 'b');
    await expect.poll(() => heard).toEqual(['a', 'b']);
    proxy.pass();
    expect(await answer).toBe('re:b');
  });

  it('stalls those alone that have sent a text', async () => {
    const { port, heard } = await startEcho();
    const proxy = await startTcpProxy(port);
    const [ann, bob] = [await join(proxy), await join(proxy)];
    await Promise.all([ask(ann, 'I am ann'), ask(bob, 'I am bob')]);
    proxy.stall(['replies'], 'bob');
    const answer = ask(bob, 'still');
    expect(await ask(ann, 'too')).toBe('re:too');
    await expect.poll(() => heard).toContain('still');
    expect(bob.bytesRead).toBe('re:I am bob'.length);
    proxy.pass();
    expect(await answer).toBe('re:still');
  });

  it('stops reading when it stalls, so that the sender finds the line full', async () => {
    const { port, received } = await startSink();
    const proxy = await startTcpProxy(port);
    const stalled = await join(proxy);
    proxy.stall();
    const direct = dial({ port });
    const much = Buffer.alloc(32 * 2 ** 20);
    for (const socket of [stalled, direct]) socket.write(much);
    await once(direct, 'drain');
    await expect.poll(received).toBe(much.length);
    expect(stalled.writableLength).toBeGreaterThan(0);
    proxy.pass();
    await once(stalled, 'drain');
    await expect.poll(received).toBe(2 * much.length);
  });

  it('ends all connections and takes new ones', async () => {
    const { port } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    await ask(socket, 'a');
    const ended = end(socket);
    proxy.cut();
    await ended;
    expect(await ask(await join(proxy), 'b')).toBe('re:b');
  });

  it('ends the connections that have sent a text, and no others', async () => {
    const { port } = await startEcho();
    const proxy = await startTcpProxy(port);
    const [ann, bob] = [await join(proxy), await join(proxy)];
    await Promise.all([ask(ann, 'I am ann'), ask(bob, 'I am bob')]);
    const ended = end(bob);
    proxy.cut('bob');
    await ended;
    expect(await ask(ann, 'still')).toBe('re:still');
  });

  it('leads new connections elsewhere, and leaves those that there are', async () => {
    const [here, there] = [await startEcho(), await startEcho()];
    const proxy = await startTcpProxy(here.port);
    const before = await join(proxy);
    await ask(before, 'a');
    proxy.redirect(there.port);
    await ask(await join(proxy), 'b');
    await ask(before, 'c');
    expect([here.heard, there.heard]).toEqual([['a', 'c'], ['b']]);
  });

  it('takes no connection while it refuses', async () => {
    const { port } = await startEcho();
    const proxy = await startTcpProxy(port);
    proxy.refuse();
    await end(dial(proxy));
    proxy.pass();
    expect(await ask(await join(proxy), 'a')).toBe('re:a');
  });

  it('ends a connection between a request and its reply, once', async () => {
    const { port, heard } = await startEcho();
    const proxy = await startTcpProxy(port);
    const socket = await join(proxy);
    const cut = proxy.cutAfterRequest('me');
    expect(await ask(socket, 'not you')).toBe('re:not you');
    let answer = '';
    socket.on('data', (chunk: Buffer) => (answer += chunk.toString()));
    const ended = end(socket);
    socket.write('take me');
    await cut;
    await ended;
    expect({ answer, heard }).toEqual({ answer: '', heard: ['not you', 'take me'] });
    expect(await ask(await join(proxy), 'me again')).toBe('re:me again');
  });

  it('counts its connections, and closes with them', async () => {
    const { port } = await startEcho();
    const proxy = await startTcpProxy(port);
    const sockets = [await join(proxy), await join(proxy)];
    await expect.poll(() => proxy.connections).toBe(2);
    const closed = Promise.all(sockets.map(end));
    await proxy.close();
    await closed;
    expect(proxy.connections).toBe(0);
  });
});
