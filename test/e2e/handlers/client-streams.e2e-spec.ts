import { NotFoundException } from '@nestjs/common';
import { CancelSignal, OnMessage, OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { followStream, streamMessage, type RealtimeStreamError } from 'nestjs-realtime/client';
import { testToken } from 'nestjs-realtime/testing';
import { once } from 'node:events';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

/** What producers do, in order. */
let log: string[];

@TopicGateway('chat:{id}')
class ChatTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('count')
  async *count() {
    yield 1;
    yield { n: 2 };
  }

  @OnMessage('value')
  value() {
    return 'one';
  }

  @OnMessage('fails')
  async *fails() {
    yield 1;
    throw new NotFoundException('The job is gone.');
  }

  /** Waits for an item that never comes, as long as the signal lets it. */
  @OnMessage('waits')
  async *waits(@CancelSignal() signal: AbortSignal) {
    try {
      yield 'first';
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    } finally {
      log.push('ended');
    }
  }
}

let app: RealtimeApp;
let socket: WebSocket;

beforeEach(async () => {
  log = [];
  app = await startRealtimeApp({ providers: [ChatTopic] });
  socket = opened();
  await once(socket, 'open');
  socket.send(JSON.stringify({ action: 'subscribe', topic: 'chat:1' }));
});

function opened(): WebSocket {
  const made = new WebSocket(`${app.url.replace('http', 'ws')}/ws?token=${testToken('ann')}`);
  onTestFinished(() => made.terminate());
  return made;
}

/** What is taken until the end, or until an error. */
async function taken(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  try {
    for await (const item of items) all.push(item);
  } catch (error) {
    all.push({ code: (error as RealtimeStreamError).code });
  }
  return all;
}

const ask = (type: string) => ({ topic: 'chat:1', type });

describe('streamMessage()', () => {
  it.each<[string, readonly unknown[]]>([
    ['count', [1, { n: 2 }]],
    ['value', ['one']],
    ['fails', [1, { code: 'TOPIC_NOT_FOUND' }]],
    ['nothing', [{ code: 'NO_HANDLER' }]],
  ])('gives what the handler gives (%s)', async (type, items) => {
    expect(await taken(streamMessage(socket, ask(type)))).toEqual(items);
  });

  it('tells two streams apart', async () => {
    const both = [taken(streamMessage(socket, ask('count'))), taken(streamMessage(socket, ask('value')))];
    expect(await Promise.all(both)).toEqual([[1, { n: 2 }], ['one']]);
  });

  it('cancels when the loop is left', async () => {
    for await (const item of streamMessage(socket, ask('waits'))) {
      expect(item).toBe('first');
      break;
    }
    await expect.poll(() => log).toEqual(['ended']);
  });

  it('cancels when its signal is aborted, and rejects with the reason', async () => {
    const controller = new AbortController();
    const items = streamMessage(socket, ask('waits'), { signal: controller.signal });
    await items.next();
    controller.abort(new Error('enough'));
    await expect(items.next()).rejects.toThrow('enough');
    await expect.poll(() => log).toEqual(['ended']);
  });

  it('asks when the socket opens', async () => {
    const late = opened();
    late.once('open', () => late.send(JSON.stringify({ action: 'subscribe', topic: 'chat:1' })));
    expect(await taken(streamMessage(late, ask('count')))).toEqual([1, { n: 2 }]);
  });

  it('asks nothing when it is left before the socket opens', async () => {
    const late = opened();
    const items = streamMessage(late, ask('waits'));
    await items.return!();
    await once(late, 'open');
    expect(await taken(streamMessage(socket, ask('value')))).toEqual(['one']);
    expect([late.listenerCount('open'), log]).toEqual([0, []]);
  });

  it('fails when the socket closes, and listens no longer', async () => {
    const items = streamMessage(socket, ask('waits'));
    await items.next();
    await app.realtime.disconnect(user('ann'));
    expect(await taken(items)).toEqual([{ code: 'DISCONNECTED' }]);
    expect(['message', 'close'].map((event) => socket.listenerCount(event))).toEqual([0, 0]);
  });

  it('fails at once when the socket is closed', async () => {
    socket.close();
    await once(socket, 'close');
    expect(await taken(streamMessage(socket, ask('count')))).toEqual([{ code: 'DISCONNECTED' }]);
  });
});

describe('followStream()', () => {
  const publish = (payload: object) =>
    app.realtime.publish('chat:1', { type: 'stream', payload: { id: 's', ...payload } });

  it('gives the items of a topic, and only of that', async () => {
    await taken(streamMessage(socket, ask('value')));
    const items = followStream({ socket, topic: 'chat:1' }, 's');
    await app.realtime.sendToUser('ann', { type: 'stream', payload: { id: 's', seq: 0, items: ['other'] } });
    await publish({ seq: 0, items: ['a'] });
    await publish({ seq: 1, items: ['b'] });
    await publish({ seq: 2, end: true });
    expect(await taken(items)).toEqual(['a', 'b']);
  });

  it('fails when the topic is left', async () => {
    await taken(streamMessage(socket, ask('value')));
    const items = followStream({ socket, topic: 'chat:1' }, 's');
    socket.send(JSON.stringify({ action: 'unsubscribe', id: 1, topic: 'chat:1' }));
    expect(await taken(items)).toEqual([{ code: 'UNSUBSCRIBED' }]);
  });

  it('fails when the socket closes', async () => {
    const items = followStream({ socket, topic: 'chat:1' }, 's');
    socket.terminate();
    expect(await taken(items)).toEqual([{ code: 'DISCONNECTED' }]);
  });
});
