import { createServer, IncomingMessage, ServerResponse, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RequestHeads } from './request-heads.js';

let server: Server;
let heads: RequestHeads;
let socket: Socket;
let isListening: boolean;

beforeEach(() => {
  vi.useFakeTimers();
  isListening = true;
  server = createServer();
  vi.spyOn(server, 'listening', 'get').mockImplementation(() => isListening);
  heads = new RequestHeads(server);
  socket = connect();
});

afterEach(() => {
  heads.stop();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function connect(): Socket {
  const accepted = new Socket();
  server.emit('connection', accepted);
  return accepted;
}

function withPort(peer: Socket, port: number): Socket {
  return Object.defineProperty(peer, 'remotePort', { value: port });
}

/** A socket that a TLS server has accepted. Its own listener would begin the handshake. */
function acceptRaw(port: number): Socket {
  const raw = withPort(new Socket(), port);
  for (const listener of server.listeners('connection').slice(-1)) listener(raw);
  return raw;
}

/** A request on the socket whose head is complete. @returns its response */
function request(event = 'request'): ServerResponse {
  const message = new IncomingMessage(socket);
  const response = new ServerResponse(message);
  heads.observe(event, [message, response]);
  return response;
}

/** Begins to close the server, and lets the check for that run. */
function closeServer(): void {
  heads.endWhenClosing();
  isListening = false;
  vi.advanceTimersByTime(50);
}

describe('a closing server', () => {
  it('destroys a socket without a complete request', () => {
    closeServer();
    expect(socket.destroyed).toBe(true);
  });

  it('keeps such a socket until it closes', () => {
    heads.endWhenClosing();
    vi.advanceTimersByTime(1_000);
    expect(socket.destroyed).toBe(false);
  });

  it.each(['request', 'checkContinue', 'checkExpectation'])('keeps a socket with a response after "%s"', (event) => {
    request(event);
    closeServer();
    expect(socket.destroyed).toBe(false);
  });

  it('destroys it once the response has ended', () => {
    const response = request();
    closeServer();
    response.emit('close');
    vi.advanceTimersByTime(50);
    expect(socket.destroyed).toBe(true);
  });

  it('keeps it while one of several pipelined requests has no response', () => {
    const [first, second] = [request(), request()];
    first.emit('close');
    closeServer();
    expect(socket.destroyed).toBe(false);
    second.emit('close');
    vi.advanceTimersByTime(50);
    expect(socket.destroyed).toBe(true);
  });

  it('gives the body of a request five seconds to arrive', () => {
    request();
    closeServer();
    vi.advanceTimersByTime(4_900);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(100);
    expect(socket.destroyed).toBe(true);
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['a request that has arrived completely', ({ req }) => (req.complete = true)],
    ['a response that has begun', (response) => response.flushHeaders()],
  ])('waits longer for %s', (_what, goesOn) => {
    goesOn(request());
    closeServer();
    vi.advanceTimersByTime(60_000);
    expect(socket.destroyed).toBe(false);
  });

  it('lets an earlier request of the socket be answered before it ends one without a body', () => {
    const earlier = request();
    earlier.req.complete = true;
    request();
    closeServer();
    vi.advanceTimersByTime(60_000);
    expect(socket.destroyed).toBe(false);
    earlier.emit('close');
    vi.advanceTimersByTime(50);
    expect(socket.destroyed).toBe(true);
  });

  it('ends an unfinished body also when the application has passed its response on from "checkContinue"', () => {
    const response = request('checkContinue');
    heads.observe('request', [response.req, response]);
    closeServer();
    vi.advanceTimersByTime(5_000);
    expect(socket.destroyed).toBe(true);
  });

  it('destroys a socket that has not finished its TLS handshake', () => {
    server = createTlsServer();
    vi.spyOn(server, 'listening', 'get').mockImplementation(() => isListening);
    heads = new RequestHeads(server);
    const [unfinished, finished, left] = [acceptRaw(1), acceptRaw(2), acceptRaw(3)];
    const secure = withPort(new Socket(), 2);
    server.emit('secureConnection', secure);
    left.emit('close');
    heads.observe('upgrade', [new IncomingMessage(secure), secure]);
    closeServer();
    expect([unfinished.destroyed, finished.destroyed, left.destroyed, secure.destroyed]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  it.each(['upgrade', 'connect'])('never destroys a socket after "%s"', (event) => {
    heads.observe(event, [new IncomingMessage(socket), socket]);
    closeServer();
    expect(socket.destroyed).toBe(false);
  });

  it('destroys waiting sockets at the latest when the tracking stops', () => {
    heads.endWhenClosing();
    isListening = false;
    heads.stop();
    expect([socket.destroyed, server.listenerCount('connection')]).toEqual([true, 1]);
  });
});

describe('the tracking of heads', () => {
  it('ignores events without a request', () => {
    heads.observe('listening', []);
    closeServer();
    expect(socket.destroyed).toBe(true);
  });

  it.each([
    ['shortens the default of Node', 60_000, 15_000],
    ['keeps the value of the application', 90_000, 90_000],
  ])('%s for headersTimeout', (_what, before, after) => {
    const other = createServer();
    other.headersTimeout = before;
    new RequestHeads(other).stop();
    expect(other.headersTimeout).toBe(after);
  });
});

describe('what is tracked', () => {
  it('is nothing of a socket that has closed with responses that waited for others', () => {
    request();
    request();
    expect(heads.tracked).toBe(1);
    socket.emit('close');
    expect(heads.tracked).toBe(0);
  });

  it('is nothing of a socket that was handed over', () => {
    heads.observe('upgrade', [new IncomingMessage(socket), socket]);
    expect(heads.tracked).toBe(0);
  });
});
