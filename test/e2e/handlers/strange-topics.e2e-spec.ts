import { OnMessage, OnSubscribe, TopicGateway, TopicParam } from 'nestjs-realtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { startRealtimeApp, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

@TopicGateway('constructor')
class ConstructorTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('hasOwnProperty')
  answer() {
    return 'handled';
  }
}

@TopicGateway('__proto__:{__proto__}:{constructor}')
class PrototypeTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('__proto__')
  params(@TopicParam('__proto__') proto: string, @TopicParam('constructor') constructor: string) {
    return [proto, constructor];
  }
}

let app: RealtimeApp;
let ann: Guest;

beforeEach(async () => {
  app = await startRealtimeApp({ providers: [ConstructorTopic, PrototypeTopic] });
  ann = await app.connectAs('constructor', { roles: ['__proto__'] });
});

const request = (action: string, topic: string, more: object = {}) => ann.request({ action, topic, ...more });

describe.each(['constructor', '__proto__:valueOf:toString'])('a topic called %s', (topic) => {
  it('can be subscribed to', async () => {
    expect(await request('subscribe', topic)).toMatchObject({ type: 'realtime:subscribed', payload: { topic } });
  });

  it('is published to', async () => {
    await request('subscribe', topic);
    await app.realtime.publish(topic, { type: '__proto__' });
    expect(await ann.next()).toMatchObject({ type: '__proto__', topic });
  });

  it('leaves nothing behind when it is left', async () => {
    await request('subscribe', topic);
    await request('unsubscribe', topic);
    expect(await app.realtime.counts()).toMatchObject({ topics: 0, subscriptions: 0 });
  });
});

describe.each(['__proto__', 'toString', 'valueOf', 'hasOwnProperty', 'prototype'])('a topic called %s', (topic) => {
  it('does not exist unless a pattern matches it', async () => {
    const { payload } = await request('subscribe', topic);
    expect(payload.code).toBe('TOPIC_NOT_FOUND');
  });

  it('has no subscribers', async () => {
    expect(await app.realtime.publish(topic, { type: 'news' })).toMatchObject({ recipients: 0 });
  });
});

describe('names that objects have anyway', () => {
  it('are message types like any other', async () => {
    await request('subscribe', 'constructor');
    expect(await request('message', 'constructor', { type: 'hasOwnProperty' })).toMatchObject({ payload: 'handled' });
  });

  it('are topic parameters like any other', async () => {
    await request('subscribe', '__proto__:a:b');
    expect(await request('message', '__proto__:a:b', { type: '__proto__' })).toMatchObject({ payload: ['a', 'b'] });
  });

  it('are user ids and roles like any other', async () => {
    const reports = [
      await app.realtime.sendToUser('constructor', { type: 'news' }),
      await app.realtime.sendToRole('__proto__', { type: 'news' }),
      await app.realtime.sendToUser('__proto__', { type: 'news' }),
      await app.realtime.sendToRole('constructor', { type: 'news' }),
    ];
    expect(reports.map(({ recipients }) => recipients)).toEqual([1, 1, 0, 0]);
  });

  it.each(['constructor', '__proto__', 'toString'])('are no actions: %s', async (action) => {
    expect((await ann.request({ action })).payload.code).toBe('UNKNOWN_ACTION');
  });
});
