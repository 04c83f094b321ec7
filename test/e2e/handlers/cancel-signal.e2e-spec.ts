import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  CancelSignal,
  CurrentConnection,
  OnConnect,
  OnMessage,
  OnSubscribe,
  TopicGateway,
  type RealtimeCancelledError,
} from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** Where the model is. */
let url: string;
/** What happened, in order. */
let log: string[];

@TopicGateway('chat:{id}')
class ChatTopic {
  @OnSubscribe()
  join(@CurrentConnection() { roles }: { roles: ReadonlySet<string> }) {
    return roles.has('member');
  }

  /** One value, from a paid call that takes long. */
  @OnMessage('ask')
  async ask(@CancelSignal() signal: AbortSignal) {
    try {
      return await (await fetch(`${url}/ask`, { signal })).text();
    } finally {
      log.push(signal.aborted ? `aborted: ${(signal.reason as RealtimeCancelledError).reason}` : 'answered');
    }
  }

  /** Token by token, of which the second never comes. */
  @OnMessage('stream')
  async *stream(@CancelSignal() signal: AbortSignal) {
    try {
      const { body } = await fetch(`${url}/stream`, { signal });
      yield* body!.pipeThrough(new TextDecoderStream());
    } finally {
      log.push('ended');
    }
  }

  @OnMessage('careless')
  async careless() {
    return (await fetch(`${url}/ask`)).text();
  }
}

let app: RealtimeApp;
let ann: Guest;
/** The next request that the model gets. */
let asked: Promise<IncomingMessage>;

beforeEach(async () => {
  log = [];
  const server = createServer((request, response) => {
    if (request.url === '/stream') response.write('first');
  });
  asked = once(server, 'request').then(([request]) => request as IncomingMessage);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  app = await startRealtimeApp({ providers: [ChatTopic], options: { drain: { timeoutMs: 1_000 } } });
  ann = await app.connectAs('ann', { roles: ['member'] });
  await ann.request({ action: 'subscribe', topic: 'chat:1' });
});

const message = (type: string) => ({ action: 'message', id: 1, topic: 'chat:1', type });

/** Resolves when the model has lost its caller. */
async function hungUp(): Promise<void> {
  const { socket } = await asked;
  if (!socket.destroyed) await once(socket, 'close');
}

const ENDS: [string, string, () => unknown][] = [
  ['cancels', 'cancel', () => ann.send({ action: 'cancel', id: 1 })],
  ['disconnects', 'disconnect', () => ann.socket.terminate()],
  ['may stay no longer', 'leave', () => ann.send({ action: 'auth', token: testToken('ann') })],
  ['is drained', 'shutdown', () => app.realtime.drain()],
];

describe('a call that a handler made with the signal', () => {
  it.each(ENDS)('is aborted when its client %s', async (_what, reason, end) => {
    const logs = collectLogs();
    ann.send(message('ask'));
    await asked;
    void end();
    await hungUp();
    await expect.poll(() => log).toEqual([`aborted: ${reason}`]);
    expect(logs).toEqual([]);
  });

  it.each(ENDS)('is aborted when its client %s, and the finally of its generator runs', async (_what, _reason, end) => {
    const logs = collectLogs();
    ann.send(message('stream'));
    expect(await ann.next('realtime:reply')).toMatchObject({ payload: 'first' });
    void end();
    await hungUp();
    await expect.poll(() => log).toEqual(['ended']);
    expect(logs).toEqual([]);
  });

  it('goes on while nobody cancels it', async () => {
    ann.send(message('ask'));
    const { socket } = await asked;
    await ann.settled();
    expect([socket.destroyed, log]).toEqual([false, []]);
  });

  it('is answered with a completion when it was cancelled by leaving', async () => {
    ann.send(message('ask'));
    await asked;
    ann.send({ action: 'auth', token: testToken('ann') });
    expect(await ann.next(({ id }) => id === 1)).toMatchObject({ type: 'realtime:complete' });
  });

  it('twin: without the signal it goes on after a cancel', async () => {
    ann.send(message('careless'));
    const { socket } = await asked;
    ann.send({ action: 'cancel', id: 1 });
    await ann.next('realtime:complete');
    expect([socket.destroyed, await typesReceivedBy(ann)]).toEqual([false, []]);
  });
});

describe('a handler of one value, when the node drains', () => {
  it('is aborted after four fifths of drain.timeoutMs, so that it has time to answer', async () => {
    ann.send(message('ask'));
    await asked;
    const start = performance.now();
    void app.realtime.drain();
    await hungUp();
    // Timers may fire a millisecond early.
    expect(performance.now() - start).toBeGreaterThanOrEqual(799);
  });
});

describe('@CancelSignal() where nothing is cancelled', () => {
  it('stops the boot, which says where', async () => {
    class Door {
      @OnConnect()
      enter(@CancelSignal() signal: AbortSignal) {
        return signal;
      }
    }
    await expect(startRealtimeApp({ providers: [Door] })).rejects.toThrow(
      'Door.enter: parameter 1 asks for a cancel signal, but nothing cancels @OnConnect(); only @OnMessage() methods are cancelled.',
    );
  });

  it('stops the boot for @OnSubscribe()', async () => {
    @TopicGateway('room')
    class Room {
      @OnSubscribe()
      join(@CancelSignal() signal: AbortSignal) {
        return signal;
      }
    }
    await expect(startRealtimeApp({ providers: [Room] })).rejects.toThrow(
      'Room.join: parameter 1 asks for a cancel signal',
    );
  });
});
