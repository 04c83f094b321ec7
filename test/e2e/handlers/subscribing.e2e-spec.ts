import { ConflictException, ForbiddenException, HttpException, NotFoundException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import {
  allow,
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  OnUnsubscribe,
  RealtimeError,
  TopicGateway,
  TopicName,
  TopicParam,
  user,
  type RealtimeConnection,
} from 'nestjs-realtime';
import { firstValueFrom, of, Subject } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** The behaviour of `@OnSubscribe()`, by room. */
let answer: Record<string, () => unknown> = {};
let hooks: string[];

@TopicGateway('room:{name}')
class RoomTopic {
  @OnSubscribe()
  join(@TopicParam('name') name: string, @MessageBody() payload: unknown, @CurrentConnection() me: RealtimeConnection) {
    hooks.push(`join ${me.userId} ${name} ${JSON.stringify(payload)}`);
    return answer[name]?.();
  }

  @OnUnsubscribe()
  leave(@TopicName() topic: string, @CurrentConnection() me: RealtimeConnection) {
    hooks.push(`leave ${me.userId} ${topic}`);
  }

  @OnMessage('say')
  say() {
    return 'said';
  }
}

@TopicGateway('closed:{name}')
class ClosedTopic {
  @OnMessage('say', { requireSubscription: false })
  say() {
    return 'said without a subscription';
  }
}

let app: RealtimeApp;
let ann: Guest;

beforeEach(async () => {
  answer = {};
  hooks = [];
  app = await startRealtimeApp({ providers: [RoomTopic, ClosedTopic] });
  ann = await app.connectAs('ann');
});

const subscribe = (topic: string, more: object = {}) => ann.request({ action: 'subscribe', topic, ...more });

describe('a client', () => {
  it.each([
    ['true', () => true],
    ['a promise of true', async () => true],
    ['an Observable of true', () => of(false, true)],
    ['{ info }', () => ({ info: { color: 'red' } })],
    ['{ info } without a value', () => ({ info: undefined })],
    ['allow()', () => allow()],
    ['an Observable of allow()', () => of(allow({ info: 'red' }))],
  ])('is let in when @OnSubscribe() returns %s', async (_what, returned) => {
    answer['one'] = returned;
    expect(await subscribe('room:one')).toMatchObject({ type: 'realtime:subscribed', payload: { topic: 'room:one' } });
    expect(await app.realtime.topicsOf(ann.id)).toEqual(['room:one']);
  });

  it.each([
    ['false', () => false],
    ['undefined', () => undefined],
    ['a promise of undefined', async () => undefined],
    ['null', () => null],
    ['1', () => 1],
    ['"true"', () => 'true'],
    ['an object', () => ({ allowed: true })],
    ['an object with data', () => ({ data: 'x' })],
    ['an entity that has a field called info', () => ({ id: 7, info: 'x' })],
    ['an empty Observable', () => of<boolean[]>()],
  ])('is kept out when @OnSubscribe() returns %s', async (_what, returned) => {
    answer['one'] = returned;
    expect(await subscribe('room:one')).toMatchObject({
      type: 'realtime:error',
      payload: { code: 'FORBIDDEN', retryable: false, action: 'subscribe', topic: 'room:one' },
    });
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it.each([
    [new ForbiddenException('Staff only.'), 'FORBIDDEN', 'Staff only.'],
    [new NotFoundException('There is no such room.'), 'TOPIC_NOT_FOUND', 'There is no such room.'],
    [new ConflictException('The room is full.'), 'VALIDATION_FAILED', 'The room is full.'],
    [new HttpException('Slow down.', 429), 'RATE_LIMITED', 'Slow down.'],
    [new WsException('No.'), 'VALIDATION_FAILED', 'No.'],
    [new RealtimeError('UNAVAILABLE', 'The list of members is away.'), 'UNAVAILABLE', 'The list of members is away.'],
  ])('is told what @OnSubscribe() throws: %o', async (error, code, message) => {
    answer['one'] = () => {
      throw error;
    };
    expect((await subscribe('room:one')).payload).toMatchObject({ code, message, topic: 'room:one' });
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it('is told nothing of an error that was not meant for it', async () => {
    collectLogs();
    answer['one'] = () => {
      throw new Error('password hunter2 is wrong');
    };
    const { payload } = await subscribe('room:one');
    expect(payload).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
    expect(JSON.stringify(payload)).not.toContain('hunter2');
  });

  it('gets the data that @OnSubscribe() allows it with, each time it asks for the topic', async () => {
    answer['one'] = () => allow({ info: 'red', data: { title: 'One', visits: hooks.length } });
    const first = await subscribe('room:one');
    const again = await subscribe('room:one', { payload: 'again' });
    expect(first.payload).toEqual({ topic: 'room:one', data: { title: 'One', visits: 1 } });
    expect(again.payload).toEqual({ topic: 'room:one', data: { title: 'One', visits: 2 } });
    expect((await subscribe('room:one')).payload).toEqual({ topic: 'room:one' });
  });

  it.each([
    ['JSON would lose', { members: new Set(['ann']) }, 'data.members is a Set'],
    ['are too large', 'x'.repeat(65_535), 'data has 65537 bytes as JSON'],
  ])('is kept out when it is allowed with data that %s, and the log says why', async (_what, data, why) => {
    const logs = collectLogs();
    answer['one'] = () => allow({ data });
    expect((await subscribe('room:one')).payload).toMatchObject({ code: 'INTERNAL', topic: 'room:one' });
    expect(logs[0]).toContain('RoomTopic.join returned a value that');
    expect(logs[0]).toContain(why);
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it('is told nothing more when its topics are judged again, and stays', async () => {
    answer['one'] = () => allow({ data: 1 });
    await subscribe('room:one');
    await app.realtime.changeRights(user('ann'), { roles: ['staff'] });
    await expect.poll(() => hooks).toHaveLength(2);
    expect(await typesReceivedBy(ann)).toEqual([]);
    expect(await app.realtime.topicsOf(ann.id)).toEqual(['room:one']);
  });

  it('may say something to @OnSubscribe()', async () => {
    await subscribe('room:one', { payload: { key: 'k' } });
    expect(hooks).toEqual(['join ann one {"key":"k"}']);
  });

  it('is told that no pattern matches', async () => {
    expect((await subscribe('weather')).payload).toMatchObject({ code: 'TOPIC_NOT_FOUND', topic: 'weather' });
  });

  it('is kept out of a pattern without @OnSubscribe()', async () => {
    expect((await subscribe('closed:one')).payload).toMatchObject({ code: 'FORBIDDEN', topic: 'closed:one' });
  });

  it.each(['', 'a b', 'größe', 'x'.repeat(256), 'room:one#presence', 'room:{name}', 'room:\n'])(
    'is told that %j is no topic',
    async (topic) => {
      const { payload } = await subscribe(topic);
      expect(['VALIDATION_FAILED', 'INVALID_MESSAGE']).toContain(payload.code);
      expect(hooks).toEqual([]);
    },
  );

  it('is told once that it is subscribed twice, and nobody is asked again', async () => {
    answer['one'] = () => true;
    await subscribe('room:one');
    expect(await subscribe('room:one')).toMatchObject({ type: 'realtime:subscribed' });
    expect(hooks).toHaveLength(1);
  });

  it('is told nothing of a subscription that it gave no id', async () => {
    answer['one'] = () => true;
    ann.send({ action: 'subscribe', topic: 'room:one' });
    await expect.poll(() => app.realtime.topicsOf(ann.id)).toEqual(['room:one']);
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('is told about a refusal even if it gave no id', async () => {
    ann.send({ action: 'subscribe', topic: 'room:one' });
    expect(await ann.next('realtime:error')).not.toHaveProperty('id');
  });

  it('gets what is published after realtime:subscribed', async () => {
    answer['one'] = () => true;
    ann.send({ action: 'subscribe', topic: 'room:one', id: 1 });
    await ann.next('realtime:subscribed');
    await app.realtime.publish('room:one', { type: 'first' });
    expect(await ann.next()).toMatchObject({ type: 'first', topic: 'room:one' });
  });

  it('may subscribe to as many topics as the limit says', async () => {
    const limited = await startRealtimeApp({
      providers: [RoomTopic],
      options: { limits: { maxTopicsPerConnection: 2 } },
    });
    answer = { one: () => true, two: () => true, three: () => true };
    const bob = await limited.connectAs('bob');
    const ask = (name: string) => bob.request({ action: 'subscribe', topic: `room:${name}` });
    const answers = [await ask('one'), await ask('two'), await ask('three')];
    expect(answers).toMatchObject([
      { type: 'realtime:subscribed' },
      { type: 'realtime:subscribed' },
      { type: 'realtime:error', payload: { code: 'LIMIT_EXCEEDED', topic: 'room:three' } },
    ]);
  });

  it('may not use a longer topic than the limit says', async () => {
    const limited = await startRealtimeApp({ providers: [RoomTopic], options: { limits: { maxTopicLength: 8 } } });
    const bob = await limited.connectAs('bob');
    const { payload } = await bob.request({ action: 'subscribe', topic: 'room:long' });
    expect(payload).toMatchObject({ code: 'VALIDATION_FAILED', message: expect.stringContaining('8 characters') });
  });
});

describe('unsubscribing', () => {
  beforeEach(async () => {
    answer['one'] = () => true;
    await subscribe('room:one');
    hooks = [];
  });

  it('is answered with the topic', async () => {
    const { type, payload } = await ann.request({ action: 'unsubscribe', topic: 'room:one' });
    expect([type, payload]).toEqual(['realtime:unsubscribed', { topic: 'room:one' }]);
  });

  it('is reported to @OnUnsubscribe()', async () => {
    await ann.request({ action: 'unsubscribe', topic: 'room:one' });
    await expect.poll(() => hooks).toEqual(['leave ann room:one']);
  });

  it.each([
    ['it unsubscribes', () => ann.request({ action: 'unsubscribe', topic: 'room:one' })],
    ['it closes', () => ann.close()],
  ])('is reported once after repeated subscriptions with a payload when %s', async (_how, end) => {
    answer['one'] = () => hooks.at(-1) !== 'join ann one "no"';
    for (const payload of ['again', 'no', 'last']) await subscribe('room:one', { payload });
    const asked = ['join ann one "again"', 'join ann one "no"', 'join ann one "last"'];
    expect(hooks).toEqual(asked);
    await end();
    await expect.poll(() => hooks).toEqual([...asked, 'leave ann room:one']);
    await ann.close();
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'room:one' });
    // What ann has caused comes before what bob has.
    expect(hooks).toEqual([...asked, 'leave ann room:one', 'join bob one undefined']);
  });

  it('is answered the same without a subscription, and reported to nobody', async () => {
    const { type } = await ann.request({ action: 'unsubscribe', topic: 'room:two' });
    expect([type, hooks]).toEqual(['realtime:unsubscribed', []]);
  });

  it('makes messages to the topic need a new subscription', async () => {
    await ann.request({ action: 'unsubscribe', topic: 'room:one' });
    const { payload } = await ann.request({ action: 'message', topic: 'room:one', type: 'say' });
    expect(payload.code).toBe('FORBIDDEN');
  });

  it('happens by itself when the connection closes', async () => {
    await ann.close();
    await expect.poll(() => hooks).toEqual(['leave ann room:one']);
  });
});

describe('a slow @OnSubscribe()', () => {
  let decide: Subject<boolean>;
  beforeEach(() => {
    decide = new Subject();
    answer['slow'] = () => firstValueFrom(decide);
    answer['fast'] = () => true;
  });

  it('makes the commands behind it wait, so the last word is the last command', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    ann.send({ action: 'unsubscribe', topic: 'room:slow', id: 2 });
    await expect.poll(() => decide.observed).toBe(true);
    decide.next(true);
    expect([await ann.next(), await ann.next()]).toMatchObject([
      { type: 'realtime:subscribed', id: 1 },
      { type: 'realtime:unsubscribed', id: 2 },
    ]);
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it('is followed by @OnUnsubscribe() when the client was gone before it said yes', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    await ann.close();
    await expect.poll(() => app.realtime.connection(ann.id)).toBeUndefined();
    decide.next(true);
    await expect.poll(() => hooks).toEqual(['join ann slow undefined', 'leave ann room:slow']);
  });

  it('leaves nothing behind when the client was gone before it said yes', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    await ann.close();
    await expect.poll(() => app.realtime.connection(ann.id)).toBeUndefined();
    decide.next(true);
    await expect.poll(() => hooks).toHaveLength(2);
    expect(await app.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });

  it('is not followed by @OnUnsubscribe() when the client was gone before it said no', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    await ann.close();
    await expect.poll(() => app.realtime.connection(ann.id)).toBeUndefined();
    decide.next(false);
    // Any effects of the decision have happened once another client has come and gone.
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'room:fast' });
    await bob.close();
    await expect.poll(() => hooks.at(-1)).toBe('leave bob room:fast');
    expect(hooks).not.toContain('leave ann room:slow');
  });

  it('does not keep another connection waiting', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    const bob = await app.connectAs('bob');
    expect(await bob.request({ action: 'subscribe', topic: 'room:fast' })).toMatchObject({
      type: 'realtime:subscribed',
    });
  });

  it('does not undo what the server does meanwhile', async () => {
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    await app.realtime.subscribe(ann.id, 'room:slow');
    decide.next(false);
    await ann.next('realtime:error');
    expect(await app.realtime.topicsOf(ann.id)).toEqual(['room:slow']);
  });

  it('makes one subscription together with what the server does meanwhile', async () => {
    const seen: string[] = [];
    app.realtime.events$.subscribe(({ type }) => seen.push(type));
    ann.send({ action: 'subscribe', topic: 'room:slow', id: 1 });
    await expect.poll(() => decide.observed).toBe(true);
    await app.realtime.subscribe(ann.id, 'room:slow');
    decide.next(true);
    await ann.next(({ id }) => id === 1);
    expect(seen).toEqual(['subscribed']);
  });
});

describe('a message', () => {
  const say = (topic: string) => ann.request({ action: 'message', topic, type: 'say' });

  it('needs a subscription to the topic', async () => {
    expect((await say('room:one')).payload).toMatchObject({
      code: 'FORBIDDEN',
      action: 'message',
      topic: 'room:one',
      retryable: false,
    });
  });

  it('is handled with a subscription', async () => {
    answer['one'] = () => true;
    await subscribe('room:one');
    expect(await say('room:one')).toMatchObject({ type: 'realtime:reply', payload: 'said' });
  });

  it('is not handled with a subscription to another topic of the pattern', async () => {
    answer['one'] = () => true;
    await subscribe('room:one');
    expect((await say('room:two')).payload.code).toBe('FORBIDDEN');
  });

  it('needs none where the handler says so', async () => {
    expect((await say('closed:one')).payload).toBe('said without a subscription');
  });

  it('to a topic that no pattern matches is told so', async () => {
    expect((await say('weather')).payload).toMatchObject({ code: 'TOPIC_NOT_FOUND', topic: 'weather' });
  });

  it('of a type without a handler is told so', async () => {
    const { payload } = await ann.request({ action: 'message', topic: 'closed:one', type: 'shout' });
    expect(payload).toMatchObject({ code: 'NO_HANDLER', action: 'message', topic: 'closed:one' });
  });

  it.each(['constructor', '__proto__', 'toString', 'realtime:welcome'])(
    'of the type %s has no handler',
    async (type) => {
      const { payload } = await ann.request({ action: 'message', topic: 'closed:one', type });
      expect(payload.code).toBe('NO_HANDLER');
    },
  );
});
