import { CurrentConnection, OnSubscribe, OnUnsubscribe, TopicGateway, TopicName } from 'nestjs-realtime';
import type { RealtimeConnection } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { receivedBy } from '../../helpers/realtime-app.js';
import { Stage, type StageGuest } from '../../helpers/stage.js';

const NEWS = { type: 'news' };

let stage: Stage;
let ann: StageGuest;
/** The calls of the gateway's hooks. */
let calls: string[];

@TopicGateway('order:{id}')
class OrderTopic {
  @OnSubscribe()
  join() {
    calls.push('subscribe');
    return false;
  }

  @OnUnsubscribe()
  leave(@CurrentConnection() { userId }: RealtimeConnection, @TopicName() topic: string) {
    calls.push(`unsubscribe ${userId} ${topic}`);
  }
}

beforeEach(async () => {
  calls = [];
  stage = await Stage.set({ providers: [OrderTopic] });
  ann = await stage.connectAs('ann');
});

describe('a connection that the server subscribes', () => {
  it('gets what is published to the topic from then on', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    await stage.realtime.publish('order:1', NEWS);
    expect(await receivedBy(ann)).toMatchObject([{ type: 'realtime:subscribed' }, { type: 'news', topic: 'order:1' }]);
  });

  it('is told, without an id', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    expect(await ann.next()).toEqual({
      type: 'realtime:subscribed',
      payload: { topic: 'order:1' },
      timestamp: expect.any(String),
    });
  });

  it('needs nobody to allow it', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    expect([calls, await stage.realtime.topicsOf(ann.id)]).toEqual([[], ['order:1']]);
  });

  it('may be subscribed to a topic that no pattern matches', async () => {
    expect(await stage.realtime.subscribe(ann.id, 'no-pattern/at@all.1')).toBe(true);
  });

  it('may be subscribed to more topics than a client may ask for', async () => {
    const limited = await Stage.set({ options: { limits: { maxTopicsPerConnection: 1 } } });
    const bob = await limited.connectAs('bob');
    await limited.realtime.subscribe(bob.id, 'one');
    expect(await limited.realtime.subscribe(bob.id, 'two')).toBe(true);
  });

  it('is subscribed once', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    expect([await stage.realtime.subscribe(ann.id, 'order:1'), await receivedBy(ann)]).toMatchObject([
      false,
      [{ type: 'realtime:subscribed' }],
    ]);
  });

  it('may send messages to the topic, as if it had subscribed by itself', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    const { payload } = await ann.request({ action: 'message', topic: 'order:1', type: 'none' });
    expect(payload.code).toBe('NO_HANDLER');
  });

  it('may unsubscribe by itself', async () => {
    await stage.realtime.subscribe(ann.id, 'order:1');
    await ann.request({ action: 'unsubscribe', topic: 'order:1' });
    expect(await stage.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it.each(['nobody', 'no.body', '...'])('must exist: there is none with the id %j', async (id) => {
    expect(await stage.realtime.subscribe(id, 'order:1')).toBe(false);
  });

  it('must not have ended', async () => {
    await stage.realtime.disconnect({ kind: 'connection', id: ann.id });
    expect(await stage.realtime.subscribe(ann.id, 'order:1')).toBe(false);
    await expect.poll(() => stage.realtime.counts()).toMatchObject({ topics: 0, subscriptions: 0 });
  });
});

describe('a connection that the server unsubscribes', () => {
  beforeEach(async () => {
    await stage.subscribe(ann, 'order:1');
  });

  it('gets no more of what is published to the topic', async () => {
    await stage.realtime.unsubscribe(ann.id, 'order:1');
    await stage.realtime.publish('order:1', NEWS);
    expect(await receivedBy(ann)).toMatchObject([{ type: 'realtime:unsubscribed' }]);
  });

  it('is told why, without an id', async () => {
    await stage.realtime.unsubscribe(ann.id, 'order:1', { reason: 'the order is closed' });
    expect(await ann.next()).toEqual({
      type: 'realtime:unsubscribed',
      payload: { topic: 'order:1', reason: 'the order is closed' },
      timestamp: expect.any(String),
    });
  });

  it('is told a standard reason when there is none', async () => {
    await stage.realtime.unsubscribe(ann.id, 'order:1');
    expect((await ann.next()).payload.reason).toBe('unsubscribed by the application');
  });

  it('is reported to the topic gateway', async () => {
    await stage.realtime.unsubscribe(ann.id, 'order:1');
    await expect.poll(() => calls).toEqual(['unsubscribe ann order:1']);
  });

  it('is reported by the answer', async () => {
    expect(await stage.realtime.unsubscribe(ann.id, 'order:1')).toBe(true);
  });

  it('is left alone when it was not subscribed', async () => {
    expect([await stage.realtime.unsubscribe(ann.id, 'order:2'), calls, await receivedBy(ann)]).toEqual([
      false,
      [],
      [],
    ]);
  });

  it('must exist', async () => {
    expect(await stage.realtime.unsubscribe('no.body', 'order:1')).toBe(false);
  });
});
