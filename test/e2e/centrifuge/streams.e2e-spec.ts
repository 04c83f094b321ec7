import { NotFoundException } from '@nestjs/common';
import { CancelSignal, OnMessage, OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { followStream, streamRpc, type RealtimeStreamError } from 'nestjs-realtime/client';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, MessageContext } from 'centrifuge';
import { setTimeout as delay } from 'node:timers/promises';
import { interval, map, take } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, sdkFor, subscribed } from '../../helpers/sdk.js';

/** What producers do, in order. */
let log: string[];

@TopicGateway('chat:{id}', { history: { size: 500, ttlMs: 60_000 } })
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

  @OnMessage('observed')
  observed() {
    return interval(1).pipe(
      map((n) => n),
      take(3),
    );
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
let client: Centrifuge;

beforeEach(async () => {
  log = [];
  app = await startRealtimeApp({ providers: [ChatTopic], options: { centrifuge: true } });
  client = await connected(sdkFor(app, { token: testToken('ann') }));
  await subscribed(client, 'chat:1');
});

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

const TOPIC = { topic: 'chat:1' };

describe('a call that asks for a stream', () => {
  it('is answered at once, and its items come as messages to the connection', async () => {
    const messages: MessageContext[] = [];
    client.on('message', (message) => messages.push(message));
    const { data } = await client.rpc('count', { ...TOPIC, stream: true });
    const id = (data as { stream: number }).stream;
    await expect.poll(() => messages).toHaveLength(3);
    const timestamp = expect.any(String) as string;
    expect([typeof id, messages.map((message) => message.data as unknown)]).toEqual([
      'number',
      [
        { type: 'realtime:reply', id, payload: 1, timestamp },
        { type: 'realtime:reply', id, payload: { n: 2 }, timestamp },
        { type: 'realtime:complete', id, timestamp },
      ],
    ]);
  });

  it('is refused as any other', async () => {
    await expect(client.rpc('nothing', { ...TOPIC, stream: true })).rejects.toMatchObject({ code: 104 });
    await expect(client.rpc('count', { topic: 'chat:2', stream: true })).rejects.toMatchObject({ code: 103 });
  });

  it('twin: without asking for one gets the last item', async () => {
    expect(await client.rpc('count', TOPIC)).toMatchObject({ data: { n: 2 } });
  });

  it('is cancelled by another one, which is answered', async () => {
    const messages: unknown[] = [];
    client.on('message', ({ data }) => messages.push((data as { type: unknown }).type));
    const { data } = await client.rpc('waits', { ...TOPIC, stream: true });
    await expect.poll(() => messages).toEqual(['realtime:reply']);
    await client.rpc('realtime:cancel', { id: (data as { stream: number }).stream });
    expect([messages, log]).toEqual([['realtime:reply', 'realtime:complete'], ['ended']]);
  });

  it.each([[{ id: 4_711 }], [{ id: 1 }]])('is not harmed by the cancel of another one (%j)', async (other) => {
    await client.rpc('waits', { ...TOPIC, stream: true });
    await client.rpc('realtime:cancel', other);
    expect(log).toEqual([]);
  });

  it.each([[{}], [{ id: 'x' }], [{ id: 0 }], [null]])('is cancelled by its id only (%j)', async (data) => {
    await expect(client.rpc('realtime:cancel', data)).rejects.toMatchObject({ code: 107 });
  });
});

describe('streamRpc()', () => {
  it.each<[string, readonly unknown[]]>([
    ['count', [1, { n: 2 }]],
    ['observed', [0, 1, 2]],
    ['value', ['one']],
    ['fails', [1, { code: 'TOPIC_NOT_FOUND' }]],
    ['nothing', [{ code: 104 }]],
  ])('gives what the handler gives (%s)', async (type, items) => {
    expect(await taken(streamRpc(client, type, TOPIC))).toEqual(items);
  });

  it('tells two streams apart', async () => {
    const [one, other] = await Promise.all([
      taken(streamRpc(client, 'count', TOPIC)),
      taken(streamRpc(client, 'observed', TOPIC)),
    ]);
    expect([one, other]).toEqual([
      [1, { n: 2 }],
      [0, 1, 2],
    ]);
  });

  it('cancels when the loop is left', async () => {
    for await (const item of streamRpc(client, 'waits', TOPIC)) {
      expect(item).toBe('first');
      break;
    }
    await expect.poll(() => log).toEqual(['ended']);
  });

  it('cancels when its signal is aborted, and rejects with the reason', async () => {
    const controller = new AbortController();
    const items = streamRpc(client, 'waits', TOPIC, { signal: controller.signal });
    await items.next();
    controller.abort(new Error('enough'));
    await expect(items.next()).rejects.toThrow('enough');
    await expect.poll(() => log).toEqual(['ended']);
  });

  it('cancels when it is left before the answer has come', async () => {
    const items = streamRpc(client, 'waits', TOPIC);
    await items.return!();
    await expect.poll(() => log).toEqual(['ended']);
  });

  it('asks nothing when its signal was aborted before', async () => {
    const items = streamRpc(client, 'waits', TOPIC, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(items.next()).rejects.toThrow('enough');
    await client.rpc('value', TOPIC);
    expect(log).toEqual([]);
  });

  it('fails when the connection is lost, and listens no longer', async () => {
    const items = streamRpc(client, 'waits', TOPIC);
    await items.next();
    await app.realtime.disconnect(user('ann'));
    expect(await taken(items)).toEqual([{ code: 'DISCONNECTED' }]);
    expect(client.listeners('message')).toEqual([]);
    expect(log).toEqual(['ended']);
  });

  it('ends when the topic is left', async () => {
    const items = streamRpc(client, 'waits', TOPIC);
    await items.next();
    client.getSubscription('chat:1')!.unsubscribe();
    expect(await taken(items)).toEqual([]);
  });
});

describe('followStream()', () => {
  const WORDS = Array.from({ length: 60 }, (_, n) => `${n} `);

  it('gives the whole stream, once and in order, when the connection is lost in the middle', async () => {
    const items = followStream<string>(client.getSubscription('chat:1')!, 's');
    await app.realtime.stream(
      'chat:1',
      async function* () {
        for (const [n, word] of WORDS.entries()) {
          if (n === 20) {
            const back = next(client, 'connected');
            await app.realtime.disconnect(user('ann'), { reconnect: true });
            await back;
          }
          await delay(1);
          yield word;
        }
      },
      { id: 's', flushMs: 2 },
    );
    expect((await taken(items)).join('')).toBe(WORDS.join(''));
  });

  it('gives the whole stream to an SDK that comes when it is over', async () => {
    const stream = await app.realtime.stream('chat:2', async function* () {
      yield* WORDS;
    });
    await stream.done;
    const subscription = client.newSubscription('chat:2', { since: { epoch: '', offset: 0 } });
    const items = followStream<string>(subscription, stream.id);
    subscription.subscribe();
    expect((await taken(items)).join('')).toBe(WORDS.join(''));
  });

  it('fails with the text for clients when the source fails', async () => {
    const items = followStream(client.getSubscription('chat:1')!, 's');
    await app.realtime.stream(
      'chat:1',
      async function* () {
        yield 'a';
        throw new NotFoundException('The job is gone.');
      },
      { id: 's' },
    );
    expect(await items.next()).toMatchObject({ value: 'a' });
    await expect(items.next()).rejects.toMatchObject({ code: 'FAILED', message: 'The job is gone.' });
  });
});
