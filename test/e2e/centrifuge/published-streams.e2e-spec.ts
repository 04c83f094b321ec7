import { OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import type { Centrifuge, Subscription } from 'centrifuge';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
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
});
