import { CurrentConnection, OnSubscribe, OnUnsubscribe, TopicGateway, TopicName } from 'nestjs-realtime';
import type { RealtimeConnection } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { receivedBy, startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

const NEWS = { type: 'news' };

let app: RealtimeApp;
let ann: Guest;
/** What the gateway's hooks were called for. */
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
  app = await startRealtimeApp({ providers: [OrderTopic] });
  ann = await app.connectAs('ann');
});

describe('a connection that the server subscribes', () => {
  it('gets what is published to the topic from then on', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    await app.realtime.publish('order:1', NEWS);
    expect(await receivedBy(ann)).toMatchObject([{ type: 'realtime:subscribed' }, { type: 'news', topic: 'order:1' }]);
  });

  it('is told, without an id', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    expect(await ann.next()).toEqual({
      type: 'realtime:subscribed',
      payload: { topic: 'order:1' },
      timestamp: expect.any(String),
    });
  });

  it('needs nobody to allow it', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    expect([calls, await app.realtime.topicsOf(ann.id)]).toEqual([[], ['order:1']]);
  });

  it('may be subscribed to a topic that no pattern matches', async () => {
    expect(await app.realtime.subscribe(ann.id, 'no-pattern/at@all.1')).toBe(true);
  });

  it('may be subscribed to more topics than a client may ask for', async () => {
    const limited = await startRealtimeApp({ options: { limits: { maxTopicsPerConnection: 1 } } });
    const bob = await limited.connectAs('bob');
    await limited.realtime.subscribe(bob.id, 'one');
    expect(await limited.realtime.subscribe(bob.id, 'two')).toBe(true);
  });

  it('is subscribed once', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    expect([await app.realtime.subscribe(ann.id, 'order:1'), await receivedBy(ann)]).toMatchObject([
      false,
      [{ type: 'realtime:subscribed' }],
    ]);
  });

  it('may send messages to the topic, as if it had subscribed by itself', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    const { payload } = await ann.request({ action: 'message', topic: 'order:1', type: 'none' });
    expect(payload.code).toBe('NO_HANDLER');
  });

  it('may unsubscribe by itself', async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    await ann.request({ action: 'unsubscribe', topic: 'order:1' });
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it.each(['nobody', 'no.body', '...'])('must exist: there is none with the id %j', async (id) => {
    expect(await app.realtime.subscribe(id, 'order:1')).toBe(false);
  });

  it('must not have ended', async () => {
    await app.realtime.disconnect({ kind: 'connection', id: ann.id });
    expect([await app.realtime.subscribe(ann.id, 'order:1'), await app.realtime.counts()]).toMatchObject([
      false,
      { topics: 0, subscriptions: 0 },
    ]);
  });
});

describe('a connection that the server unsubscribes', () => {
  beforeEach(async () => {
    await app.realtime.subscribe(ann.id, 'order:1');
    await ann.next('realtime:subscribed');
  });

  it('gets no more of what is published to the topic', async () => {
    await app.realtime.unsubscribe(ann.id, 'order:1');
    await app.realtime.publish('order:1', NEWS);
    expect(await receivedBy(ann)).toMatchObject([{ type: 'realtime:unsubscribed' }]);
  });

  it('is told why, without an id', async () => {
    await app.realtime.unsubscribe(ann.id, 'order:1', { reason: 'the order is closed' });
    expect(await ann.next()).toEqual({
      type: 'realtime:unsubscribed',
      payload: { topic: 'order:1', reason: 'the order is closed' },
      timestamp: expect.any(String),
    });
  });

  it('is told a standard reason when there is none', async () => {
    await app.realtime.unsubscribe(ann.id, 'order:1');
    expect((await ann.next()).payload.reason).toBe('unsubscribed by the application');
  });

  it('is reported to the topic gateway', async () => {
    await app.realtime.unsubscribe(ann.id, 'order:1');
    await expect.poll(() => calls).toEqual(['unsubscribe ann order:1']);
  });

  it('is reported by the answer', async () => {
    expect(await app.realtime.unsubscribe(ann.id, 'order:1')).toBe(true);
  });

  it('is left alone when it was not subscribed', async () => {
    expect([await app.realtime.unsubscribe(ann.id, 'order:2'), calls, await receivedBy(ann)]).toEqual([false, [], []]);
  });

  it('must exist', async () => {
    expect(await app.realtime.unsubscribe('no.body', 'order:1')).toBe(false);
  });
});
