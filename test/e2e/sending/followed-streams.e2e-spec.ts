import { MessageBody, OnMessage, OnSubscribe, RealtimeService, TopicGateway, TopicName } from 'nestjs-realtime';
import { followStream, streamMessage, type PlainSocket } from 'nestjs-realtime/client';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

const TOPIC = 'chat:1';

@TopicGateway('chat:{id}', { history: { size: 500, ttlMs: 60_000 } })
class ChatTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join() {
    return true;
  }

  /** Answers with the id of the stream, behind its first pieces. */
  @OnMessage('ask')
  async ask(@TopicName() topic: string, @MessageBody() words: number) {
    const { id } = await this.realtime.stream(
      topic,
      async function* () {
        for (let n = 0; n < words; n++) {
          yield `${n} `;
          await delay(1);
        }
      },
      { flushMs: 1 },
    );
    await delay(10);
    return id;
  }
}

let stage: Stage;

beforeEach(async () => {
  stage = await Stage.set({ providers: [ChatTopic] });
});

const socketOf = (guest: StageGuest) => guest.socket as unknown as PlainSocket;

async function joined(items: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const item of items) text += item;
  return text;
}

/** The id in the answer to a question. */
async function asked(guest: StageGuest, words: number): Promise<string> {
  return joined(streamMessage<string>(socketOf(guest), { topic: TOPIC, type: 'ask', payload: words }));
}

const textOf = (words: number) => Array.from({ length: words }, (_, n) => `${n} `).join('');

it('a published stream is followed as a whole by who asks for it, though it begins before the answer', async () => {
  const ann = await stage.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: TOPIC });
  expect(await joined(followStream<string>({ socket: socketOf(ann), topic: TOPIC }, asked(ann, 50)))).toBe(textOf(50));
});

it('a published stream is followed as a whole by a reader on any node that comes in the middle', async () => {
  const ann = await stage.connectAs('ann');
  const bob = await stage.connectAs('bob');
  await ann.request({ action: 'subscribe', topic: TOPIC });
  const id = await asked(ann, 50);
  const items = followStream<string>({ socket: socketOf(bob), topic: TOPIC }, id);
  await bob.request({ action: 'subscribe', topic: TOPIC, recover: { epoch: '', offset: 0 } });
  expect(await joined(items)).toBe(textOf(50));
});

it('a published stream is known to be truncated by a reader that comes in the middle and recovers nothing', async () => {
  const ann = await stage.connectAs('ann');
  const bob = await stage.connectAs('bob');
  await ann.request({ action: 'subscribe', topic: TOPIC });
  const id = await asked(ann, 20_000);
  await ann.next(({ topic }) => topic === TOPIC);
  const items = followStream<string>({ socket: socketOf(bob), topic: TOPIC }, id);
  await bob.request({ action: 'subscribe', topic: TOPIC });
  await expect(items.next()).rejects.toMatchObject({ code: 'TRUNCATED', details: { from: 0 } });
  await stage.realtime.stopStream(TOPIC, id);
});
