import { OnSubscribe, RealtimeError, TopicGateway } from 'nestjs-realtime';
import { PresenceStore } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PresenceWatchers } from '../../../lib/delivery/presence-watchers.js';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

class OpenTopic {
  @OnSubscribe()
  enter() {
    return true;
  }
}

@TopicGateway('room:{id}', { presence: true })
class RoomTopic extends OpenTopic {}

@TopicGateway('secret:{id}', { presence: true, clientAccess: false })
class SecretTopic extends OpenTopic {}

@TopicGateway('plain:{id}')
class PlainTopic extends OpenTopic {}

let app: RealtimeApp;
let ann: Guest;

beforeEach(async () => {
  app = await startRealtimeApp({ providers: [RoomTopic, SecretTopic, PlainTopic] });
  ann = await app.connectAs('ann');
});

const subscribe = (topic: string, more: object = {}) => ann.request({ action: 'subscribe', topic, ...more });
const ask = async (topic: string) => (await ann.request({ action: 'presence', topic })).payload;

describe('a client that asks who is in a topic', () => {
  it.each([
    ['without a subscription', 'room:1', 'FORBIDDEN', 'Subscribe to the topic first.'],
    ['of which nobody knows it', 'plain:1', 'NO_HANDLER', 'This topic has no presence.'],
    ['that only the server may look into', 'secret:1', 'FORBIDDEN', 'Clients may not read the presence of this topic.'],
    ['that there is not', 'weather', 'TOPIC_NOT_FOUND', 'There is no such topic.'],
    ['that can be none', 'größe', 'VALIDATION_FAILED', expect.stringContaining('may hold only letters')],
  ])('is refused in one %s', async (_which, topic, code, message) => {
    if (topic.startsWith('plain') || topic.startsWith('secret')) await subscribe(topic);
    expect(await ask(topic)).toMatchObject({ code, message, action: 'presence' });
  });

  it('is refused after it has left', async () => {
    await subscribe('room:1');
    await ann.request({ action: 'unsubscribe', topic: 'room:1' });
    expect(await ask('room:1')).toMatchObject({ code: 'FORBIDDEN', topic: 'room:1' });
  });

  it('is answered nothing without an id', async () => {
    await subscribe('room:1');
    ann.send({ action: 'presence', topic: 'room:1' });
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('is told a refusal even without an id', async () => {
    ann.send({ action: 'presence', topic: 'room:1' });
    expect(await ann.next()).toMatchObject({ type: 'realtime:error', payload: { code: 'FORBIDDEN' } });
  });

  it('is asked to try again while nobody can tell', async () => {
    await subscribe('room:1');
    const store = app.app.get(PresenceStore);
    vi.spyOn(store, 'read').mockRejectedValueOnce(new RealtimeError('UNAVAILABLE', 'Away.'));
    expect(await ask('room:1')).toMatchObject({ code: 'UNAVAILABLE', retryable: true, topic: 'room:1' });
  });

  it('is told nothing of what broke', async () => {
    const logs = collectLogs();
    await subscribe('room:1');
    vi.spyOn(app.app.get(PresenceStore), 'read').mockRejectedValueOnce(new Error('hunter2'));
    expect(JSON.stringify(await ask('room:1'))).not.toContain('hunter2');
    expect(logs).toEqual([expect.stringContaining('hunter2')]);
  });
});

describe('a client that asks to be told who comes and goes', () => {
  it.each([
    ['plain:1', 'NO_HANDLER'],
    ['secret:1', 'FORBIDDEN'],
    ['weather', 'TOPIC_NOT_FOUND'],
  ])('is not subscribed to a topic that does not tell: %s', async (topic, code) => {
    expect((await subscribe(topic, { presence: true })).payload).toMatchObject({ code, action: 'subscribe', topic });
    expect(await app.realtime.topicsOf(ann.id)).toEqual([]);
  });

  it('keeps the subscription that it had', async () => {
    await subscribe('plain:1');
    await subscribe('plain:1', { presence: true });
    expect(await app.realtime.topicsOf(ann.id)).toEqual(['plain:1']);
  });

  it('is told from then on when it asks later', async () => {
    await subscribe('room:1');
    await subscribe('room:1', { presence: true });
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'room:1' });
    expect(await ann.next()).toMatchObject({ type: 'realtime:joined', payload: { userId: 'bob' } });
  });

  it('is not told any more after it has left and come back without asking', async () => {
    await subscribe('room:1', { presence: true });
    await ann.next('realtime:joined');
    await ann.request({ action: 'unsubscribe', topic: 'room:1' });
    await subscribe('room:1');
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'room:1' });
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('is not remembered when its connection is gone', async () => {
    const watchers = app.app.get(PresenceWatchers);
    await subscribe('room:1', { presence: true });
    expect([...watchers.of('room:1')]).toEqual([ann.id]);
    ann.socket.terminate();
    await expect.poll(() => watchers.of('room:1').size).toBe(0);
  });
});

describe('the server', () => {
  it('may ask who is in a topic that clients may not ask about', async () => {
    await subscribe('secret:1');
    expect(await app.realtime.usersIn('secret:1')).toMatchObject({ users: [{ userId: 'ann' }], userCount: 1 });
  });

  it.each(['plain:1', 'unserved:1'])('is told that %s has no presence', async (topic) => {
    await expect(app.realtime.usersIn(topic)).rejects.toMatchObject({
      argument: 'topic',
      message: expect.stringContaining('no @TopicGateway() of this application says { presence: true } for it'),
    });
  });

  it.each(['', 'a b', '#online:ann'])('is told that %j is no topic', async (topic) => {
    await expect(app.realtime.usersIn(topic)).rejects.toMatchObject({ argument: 'topic' });
  });
});
