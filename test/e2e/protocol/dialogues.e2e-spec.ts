import { UsePipes, ValidationPipe } from '@nestjs/common';
import { IsNotEmpty } from 'class-validator';
import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeService,
  TopicGateway,
  TopicName,
  TopicParam,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { testToken, type TestClient } from 'nestjs-realtime/testing';
import { concat, NEVER, of } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { dialogue, type Line } from '../../helpers/protocol-document.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';

class SayDto {
  @IsNotEmpty()
  text!: string;
}

@TopicGateway('chat:{room}')
class ChatTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join(@TopicParam('room') room: string) {
    return room !== 'staff';
  }

  @OnMessage('say')
  @UsePipes(new ValidationPipe())
  async say(
    @MessageBody() { text }: SayDto,
    @TopicName() topic: string,
    @CurrentConnection() { userId }: RealtimeConnection,
  ) {
    await this.realtime.publish<string>(topic, { type: 'said', payload: { from: userId, text } });
    return { id: '7' };
  }
}

@TopicGateway('order:7', { history: { size: 50, ttlMs: 60_000 } })
class OrderTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('job:{id}')
class JobTopic {
  @OnMessage('watch', { requireSubscription: false })
  watch() {
    return concat(of({ percent: 10 }, { percent: 20 }), NEVER);
  }
}

@TopicGateway('room:{id}', { presence: true })
class RoomTopic {
  @OnSubscribe()
  join(@CurrentConnection() { userId }: RealtimeConnection) {
    return { info: { name: userId[0]!.toUpperCase() + userId.slice(1) } };
  }
}

/** Returns a frame without the values on which a reader must not rely. */
function comparable({ timestamp: _timestamp, ...frame }: Record<string, any>): object {
  if (frame['type'] !== 'realtime:error') return frame;
  const { message: _message, ...payload } = frame['payload'];
  return { ...frame, payload };
}

/**
 * Says what the client says, and compares what the server says.
 * @param cues what has to happen before the server says this line by itself, by the line's number from 0
 */
async function replay(lines: readonly Line[], client: TestClient, cues: Record<number, () => unknown> = {}) {
  for (const [number, line] of lines.entries()) {
    await cues[number]?.();
    if (line.by === 'client') client.send(line.frame);
    if (line.by === 'server') expect(comparable(await client.next())).toEqual(comparable(line.frame));
  }
}

let app: RealtimeApp;
beforeEach(async () => {
  app = await startRealtimeApp({ providers: [ChatTopic, OrderTopic, JobTopic, RoomTopic] });
});

describe('the dialogues of the protocol happen as they are written', () => {
  it('1. connect and receive', async () => {
    const [, welcome, order, announcement] = dialogue(1);
    const client = await app.connect({ token: testToken('42') });
    const { payload } = await client.next();
    if (welcome?.by !== 'server' || order?.by !== 'server' || announcement?.by !== 'server') throw new Error('changed');
    const examples = welcome.frame['payload'] as Record<string, unknown>;
    const any = { expiresAt: expect.any(String), connectionId: expect.stringMatching(/^[^.]+\.[^.]+$/) };
    expect(payload).toEqual({ ...examples, ...any });

    await app.realtime.sendToUser<string>('42', { type: order.frame['type'], payload: order.frame['payload'] });
    await app.realtime.broadcast<string>(announcement.frame as { type: string });
    await replay([order, announcement], client);
  });

  it('2. subscribe to a topic', async () => {
    const alice = await app.connectAs('alice');
    const said = () =>
      app.realtime.publish<string>('chat:lobby', { type: 'said', payload: { from: 'bob', text: 'hi' } });
    await replay(dialogue(2), alice, { 2: said });
  });

  it('3. a message with a reply, and one that is refused', async () => {
    const alice = await app.connectAs('alice');
    await alice.request({ action: 'subscribe', topic: 'chat:lobby' });
    await replay(dialogue(3), alice);
  });

  it('4. a stream, cancelled', async () => {
    await replay(dialogue(4), await app.connectAs('alice'));
  });

  it('5. refused topics', async () => {
    await replay(dialogue(5), await app.connectAs('alice'));
  });

  it('6. who is there', async () => {
    const alice = await app.connectAs('alice');
    const bob = async () => {
      const tab = await app.connectAs('bob');
      await tab.request({ action: 'subscribe', topic: 'room:9' });
      return tab;
    };
    const tabs: TestClient[] = [];
    await replay(dialogue(6), alice, {
      3: async () => tabs.push(await bob(), await bob()),
      6: () => Promise.all(tabs.map((tab) => tab.request({ action: 'unsubscribe', topic: 'room:9' }))),
    });
  });

  it('8. the server acts by itself', async () => {
    const alice = await app.connectAs('alice');
    const lines = dialogue(8);
    await replay(lines, alice, {
      0: () => app.realtime.subscribe(alice.id, 'order:123'),
      1: () => app.realtime.unsubscribe(alice.id, 'order:123', { reason: 'the order is closed' }),
    });
    void app.app.close();
    const { code, reason } = await alice.nextClose();
    expect({ by: 'nobody', text: `close ${code} "${reason}"` }).toEqual(lines.at(-1));
  });

  it('9. back after a while', async () => {
    const published = { type: 'order.seen' };
    const { epoch } = await app.realtime.publish<string>('order:7', published);
    for (let offset = 2; offset <= 41; offset++) await app.realtime.publish<string>('order:7', published);
    await app.realtime.publish<string>('order:7', { type: 'order.paid', payload: { total: 40 } });
    await app.realtime.publish<string>('order:7', { type: 'order.packed' });
    const lines = JSON.parse(JSON.stringify(dialogue(9)).replaceAll('k3XaQ', epoch!)) as Line[];
    await replay(lines, await app.connectAs('alice'), {
      4: () => app.realtime.publish<string>('order:7', { type: 'order.shipped' }),
    });
  });
});
