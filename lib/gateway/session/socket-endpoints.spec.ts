import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import type { CloseCodeName } from '../../core/protocol/close-code.js';
import { ServedWebSocket } from '../socket/served-web-socket.js';
import { SocketEndpoints, type SocketListener } from './socket-endpoints.js';

/** An endpoint that records its calls; the test decides when its hooks end, and which calls fail. */
class Listener implements SocketListener {
  readonly calls: string[] = [];
  fails = false;
  endHooks!: () => void;
  failHooks!: (error: Error) => void;
  readonly #hooks = new Promise<void>((resolve, reject) => ([this.endHooks, this.failHooks] = [resolve, reject]));
  readonly socket = { closing: () => this.#note('closing') };

  receive(data: Buffer, isBinary: boolean): void {
    this.#note(`receive ${data.toString()} ${isBinary ? 'binary' : 'text'}`);
  }

  pinged(): void {
    this.#note('pinged');
  }

  ponged(data: Buffer): void {
    this.#note(`ponged ${data.toString()}`);
  }

  closed(code: number, reason: string): Promise<void> {
    this.#note(`closed ${code} ${reason}`);
    return this.#hooks;
  }

  disconnect(code: CloseCodeName): void {
    this.calls.push(`disconnect ${code}`);
  }

  #note(call: string): void {
    this.calls.push(call);
    if (this.fails) throw new Error(`for the test: ${call}`);
  }
}

/** A WebSocket as `ws` makes it, before it has a TCP socket. */
const socket = () => Reflect.construct(ServedWebSocket, [null, undefined, {}]) as ServedWebSocket;

let endpoints: SocketEndpoints<Listener>;
let listener: Listener;
let ws: ServedWebSocket;
let logs: readonly string[];

beforeEach(() => {
  logs = collectLogs();
  endpoints = new SocketEndpoints();
  [listener, ws] = [new Listener(), socket()];
  endpoints.add(listener, ws);
});

const close = () => ws.emit('close', 1001, Buffer.from('bye'));

/** Lets what is in progress come to its end. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('an endpoint', () => {
  it('receives the events of its own socket only', () => {
    endpoints.add(new Listener(), socket());
    ws.emit('message', Buffer.from('hello'), true);
    ws.emit('ping');
    ws.emit('pong', Buffer.from('7'));
    ws.emit('closing');
    expect(listener.calls).toEqual(['receive hello binary', 'pinged', 'ponged 7', 'closing']);
    expect([...endpoints.open].map(({ calls }) => calls.length)).toEqual([4, 0]);
  });

  it.each(['message', 'ping', 'pong', 'closing'])('that fails at the event "%s" is ended and logged', (event) => {
    listener.fails = true;
    ws.emit(event, Buffer.from('hello'), false);
    expect(listener.calls.at(-1)).toBe('disconnect SERVER_ERROR');
    expect(logs).toEqual([expect.stringContaining('for the test')]);
  });

  it('survives an error of its socket, which ws closes', () => {
    ws.emit('error', new Error('broken'));
    expect([listener.calls, endpoints.open.size]).toEqual([[], 1]);
  });

  it('adds nothing to a connection: all sockets share their handlers', () => {
    const other = socket();
    endpoints.add(new Listener(), other);
    expect([other.eventNames(), other.handlers]).toEqual([[], ws.handlers]);
    expect(other.handlers).toBe(ws.handlers);
  });
});

describe('the end of a socket', () => {
  it('reaches the endpoint with its code and reason', () => {
    close();
    expect(listener.calls).toEqual(['closed 1001 bye']);
  });

  it('keeps the endpoint among the leaving ones until its hooks have ended', async () => {
    close();
    expect([endpoints.open.size, endpoints.leaving.has(listener)]).toEqual([0, true]);
    listener.endHooks();
    await settle();
    expect(endpoints.leaving.size).toBe(0);
  });

  it('is logged if the hooks fail, and the endpoint is forgotten', async () => {
    close();
    listener.failHooks(new Error('for the test'));
    await settle();
    expect([endpoints.leaving.size, logs]).toEqual([0, [expect.stringContaining('for the test')]]);
  });
});
