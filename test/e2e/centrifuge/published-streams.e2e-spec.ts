import { NotFoundException } from '@nestjs/common';
import { OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { followStream } from 'nestjs-realtime/client';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription } from 'centrifuge';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { RealtimeApp } from '../../helpers/realtime-app.js';
import { connected, next, sdkFor } from '../../helpers/sdk.js';
import { startRooms } from './rooms.js';

@TopicGateway('chat:{id}', { history: { size: 500, ttlMs: 60_000 } })
class Chat {
  @OnSubscribe() join() {
    return true;
  }
}

const TOPIC = 'chat:1';
const WORDS = Array.from({ length: 100 }, (_, n) => `${n} `);

async function start(): Promise<{ app: RealtimeApp; client: Centrifuge }> {
  const app = await startRooms({}, { providers: [Chat] });
  return { app, client: await connected(sdkFor(app, { token: testToken('ann') })) };
}

/** What a subscription brings of a stream, and a promise for its end. */
function read(subscription: Subscription): { pieces: any[]; ended: Promise<void> } {
  const pieces: any[] = [];
  const ended = new Promise<void>((resolve) => {
    subscription.on('publication', ({ data }) => {
      pieces.push(data.payload);
      if (data.payload.items === undefined) resolve();
    });
  });
  subscription.subscribe();
  return { pieces, ended };
}

function expectWhole(pieces: readonly any[]): void {
  expect(pieces.flatMap(({ items = [] }) => items).join('')).toBe(WORDS.join(''));
  expect(pieces.map(({ seq }) => seq)).toEqual(pieces.map((_, n) => n));
  expect(pieces.at(-1)).toMatchObject({ end: true });
}

describe('A published stream', () => {
  it('is seen as a whole by an SDK that comes when it is over', async () => {
    const { app, client } = await start();
    const source = async function* () {
      yield* WORDS;
    };
    await (
      await app.realtime.stream(TOPIC, source, { maxBytes: 10 })
    ).done;
    const { pieces, ended } = read(client.newSubscription(TOPIC, { since: { epoch: '', offset: 0 } }));
    await ended;
    expectWhole(pieces);
  });

  it('is seen once and in order by an SDK that loses its connection in the middle', async () => {
    const { app, client } = await start();
    const { epoch } = await app.realtime.history(TOPIC, { limit: 0 });
    const { pieces, ended } = read(client.newSubscription(TOPIC, { since: { epoch, offset: 0 } }));
    const source = async function* () {
      for (const [n, word] of WORDS.entries()) {
        yield word;
        if (n % 20 === 10) {
          const isAwaited = n % 40 === 10;
          const back = isAwaited ? next(client, 'connected') : undefined;
          await app.realtime.disconnect(user('ann'), { reconnect: true });
          await back;
        } else await delay(1);
      }
    };
    await app.realtime.stream(TOPIC, source, { flushMs: 2 });
    await ended;
    expectWhole(pieces);
  });

  it('is an AsyncIterable for an SDK, whose reader sees how it failed', async () => {
    const { app, client } = await start();
    const subscription = client.newSubscription(TOPIC, { since: { epoch: '', offset: 0 } });
    const source = async function* () {
      yield* WORDS;
      throw new NotFoundException('There is no more.');
    };
    const items = followStream<string>(
      subscription,
      app.realtime.stream(TOPIC, source, { maxBytes: 10 }).then(({ id }) => id),
    );
    subscription.subscribe();
    await expectFailing(items);
  });

  it('is one for a plain socket, too', async () => {
    const { app } = await start();
    const socket = new WebSocket(`${app.url.replace('http', 'ws')}/ws?token=${testToken('bob')}`);
    onTestFinished(() => socket.terminate());
    await once(socket, 'message');
    socket.send(JSON.stringify({ action: 'subscribe', id: 1, topic: TOPIC }));
    await once(socket, 'message');
    const items = followStream<string>({ socket, topic: TOPIC }, 'answer');
    const source = async function* () {
      yield* WORDS;
      throw new NotFoundException('There is no more.');
    };
    await app.realtime.stream(TOPIC, source, { id: 'answer', maxBytes: 10 });
    await expectFailing(items);
  });
});

/** Expects all words, and then the error. */
async function expectFailing(items: AsyncIterable<string>): Promise<void> {
  let text = '';
  const reading = (async () => {
    for await (const item of items) text += item;
  })();
  await expect(reading).rejects.toMatchObject({ code: 'FAILED', message: 'There is no more.' });
  expect(text).toBe(WORDS.join(''));
}
