import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { all, role, topic, user } from '../core/routing/address.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { RealtimeService } from '../realtime.service.js';
import type { RecordingConnection } from './recording-connection.js';
import { RecordingRealtimeService } from './recording-realtime.service.js';

let realtime: RecordingRealtimeService;
let ann: RecordingConnection;

beforeEach(() => {
  realtime = new RecordingRealtimeService();
  ann = realtime.connect({ userId: 'ann', roles: ['admin'] });
});

describe('a recording service', () => {
  it('keeps what was sent, with its addresses', async () => {
    await realtime.to(user('ann'), role('staff')).except(user('bob')).send({ type: 'news', payload: 1 });
    expect(realtime.sent).toEqual([
      {
        to: [user('ann'), role('staff')],
        except: [user('bob')],
        message: { type: 'news', payload: 1, timestamp: expect.any(String) },
      },
    ]);
  });

  it('keeps what was sent to nobody', async () => {
    await realtime.sendToUser('zoe', { type: 'news' });
    expect(realtime.sent).toMatchObject([{ to: [user('zoe')], message: { type: 'news' } }]);
  });

  it('keeps payloads as a client would get them', async () => {
    await realtime.sendToUser('ann', { type: 'news', payload: { at: new Date(0), none: undefined } });
    expect(realtime.sent[0]!.message.payload).toEqual({ at: '1970-01-01T00:00:00.000Z' });
  });

  it('keeps only messages, no orders', async () => {
    await realtime.subscribe(ann.id, 'feed');
    await realtime.disconnect(all());
    expect(realtime.sent).toEqual([]);
  });

  it('refuses what the real one refuses, and keeps nothing of it', async () => {
    await expect(realtime.sendToUser('', { type: 'news' })).rejects.toMatchObject({ argument: 'userId' });
    expect(realtime.sent).toEqual([]);
  });

  it('reports as the real one does', async () => {
    realtime.connect({ userId: 'ann' });
    expect(await realtime.sendToUser('ann', { type: 'news' })).toEqual({ recipients: 2, nodes: 1, complete: true });
  });

  it('knows who is in a topic, and what was said of them', async () => {
    ann.subscribe('chat:1', { info: { name: 'Ann' } });
    realtime.connect({ userId: 'ann' }).subscribe('chat:1');
    expect(await realtime.usersIn('chat:1')).toEqual({
      topic: 'chat:1',
      users: [{ userId: 'ann', info: { name: 'Ann' }, connections: 2 }],
      userCount: 1,
      connectionCount: 2,
    });
  });

  it('knows who is online', async () => {
    ann.disconnect();
    realtime.connect({ userId: 'bob' });
    expect([await realtime.isOnline('ann'), await realtime.isOnline('bob')]).toEqual([false, true]);
  });

  it('keeps the histories that it is told to keep, and no others', async () => {
    realtime.keepHistory((name) => (name === 'order:1' ? { size: 10, ttlMs: 60_000 } : undefined));
    const options = { idempotencyKey: 'e1' };
    const { offset } = await realtime.publish('order:1', { type: 'shipped' }, options);
    expect(await realtime.publish('order:1', { type: 'shipped' }, options)).toMatchObject({ offset });
    expect((await realtime.history('order:1')).publications).toMatchObject([{ type: 'shipped', offset: 1 }]);
    await expect(realtime.publish('order:2', { type: 'shipped' }, options)).rejects.toThrow('idempotencyKey');
    await expect(realtime.history('order:2')).rejects.toThrow('must keep a history');
  });

  it('keeps the pieces of a stream, and knows that one with its id runs', async () => {
    realtime.keepHistory(() => ({ size: 10, ttlMs: 60_000 }));
    ann.subscribe('chat:1');
    const source = async function* () {
      yield 'so ';
      yield 'far';
    };
    const stream = await realtime.stream('chat:1', source, { id: 'answer' });
    expect(await realtime.stream('chat:1', source, { id: 'answer' })).toBe(stream);
    expect(await stream.done).toEqual({ reason: 'end', pieces: 1 });
    const payloads = [
      { id: 'answer', seq: 0, items: ['so far'] },
      { id: 'answer', seq: 1, end: true },
    ];
    expect(realtime.sent.map(({ message }) => message.payload)).toEqual(payloads);
    expect(ann.received.map(({ payload }) => payload)).toEqual(expect.arrayContaining(payloads));
    expect(await realtime.stopStream('chat:1', 'answer')).toBe(false);
  });

  it('tells clients of a failed stream what it would tell them', async () => {
    realtime.keepHistory(() => ({ size: 10, ttlMs: 60_000 }));
    const failing = (error: Error) => async () => {
      const { done } = await realtime.stream('chat:1', () => {
        throw error;
      });
      await done;
      return (realtime.sent.at(-1)!.message.payload as { error: string }).error;
    };
    expect(await failing(new RealtimeError('LIMIT_EXCEEDED', 'There is no such model.'))()).toBe(
      'There is no such model.',
    );
    expect(await failing(new Error('secret'))()).not.toContain('secret');
  });

  it('finds connections as the real one does', async () => {
    expect([await realtime.connectionsOf('ann'), await realtime.counts()]).toMatchObject([
      [{ id: ann.id, userId: 'ann' }],
      { connections: 1, users: 1, topics: 0, subscriptions: 0 },
    ]);
  });

  it('shares nothing with another one', async () => {
    await new RecordingRealtimeService().broadcast({ type: 'news' });
    expect([realtime.sent, ann.received]).toEqual([[], []]);
  });

  it('may stand in for the real one in a testing module', async () => {
    @Injectable()
    class OrdersService {
      constructor(private readonly service: RealtimeService) {}
      create = () => this.service.sendToUser('ann', { type: 'created' });
    }
    const module = await Test.createTestingModule({
      providers: [OrdersService, { provide: RealtimeService, useClass: RecordingRealtimeService }],
    }).compile();
    await module.get(OrdersService).create();
    expect(module.get<RecordingRealtimeService>(RealtimeService).sent).toMatchObject([{ to: [user('ann')] }]);
  });
});

describe('a recording connection', () => {
  it('gets what is sent to its user, its roles, its topics, itself and everybody', async () => {
    ann.subscribe('feed');
    await realtime.sendToUser('ann', { type: 'to user' });
    await realtime.sendToRole('admin', { type: 'to role' });
    await realtime.publish('feed', { type: 'to topic' });
    await realtime.sendToConnection(ann.id, { type: 'to connection' });
    await realtime.broadcast({ type: 'to all' });
    expect(ann.received.map(({ type }) => type)).toEqual(['to user', 'to role', 'to topic', 'to connection', 'to all']);
  });

  it('gets messages as a plain client does', async () => {
    ann.subscribe('feed');
    await realtime.publish('feed', { type: 'news', payload: { n: 1 } });
    expect(ann.received).toEqual([{ type: 'news', payload: { n: 1 }, timestamp: expect.any(String), topic: 'feed' }]);
  });

  it('gets who joins and who leaves when it asks for it', () => {
    ann.subscribe('chat:1', { presence: true });
    const bob = realtime.connect({ userId: 'bob' });
    bob.subscribe('chat:1', { info: 'Bob' });
    bob.disconnect();
    expect(ann.received.map(({ type, payload }) => `${type} ${payload.userId} ${payload.info}`)).toEqual([
      'realtime:joined ann undefined',
      'realtime:joined bob Bob',
      'realtime:left bob Bob',
    ]);
  });

  it('gets nothing that is meant for others', async () => {
    await realtime.sendToUser('bob', { type: 'news' });
    expect(ann.received).toEqual([]);
  });

  it('can be subscribed by the service', async () => {
    expect([await realtime.subscribe(ann.id, 'feed'), await realtime.topicsOf(ann.id)]).toEqual([true, ['feed']]);
  });

  it('is subscribed once, as a real one is', async () => {
    ann.subscribe('feed');
    expect([ann.subscribe('feed'), await realtime.subscribe(ann.id, 'feed')]).toEqual([false, false]);
  });

  it('can be unsubscribed by the service', async () => {
    ann.subscribe('feed');
    expect([await realtime.unsubscribe(ann.id, 'feed'), await realtime.topicsOf(ann.id)]).toEqual([true, []]);
  });

  it('is closed by the service, with code and reason', async () => {
    await realtime.disconnect(user('ann'), { reason: 'enough' });
    expect(ann.closedWith).toEqual({ code: 3503, reason: 'enough' });
  });

  it('leaves nothing behind when it is closed', async () => {
    ann.subscribe('feed');
    ann.disconnect();
    expect(await realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });

  it('gets nothing and joins nothing once it is closed', async () => {
    ann.disconnect();
    const joined = ann.subscribe('feed');
    await realtime.broadcast({ type: 'news' });
    expect([joined, ann.received]).toEqual([false, []]);
  });

  it('keeps the first reason for which it was closed', () => {
    ann.disconnect('SHUTDOWN');
    ann.disconnect('FORCED', 'later');
    expect(ann.closedWith).toEqual({ code: 3001, reason: 'server is shutting down, please reconnect' });
  });

  it('is a connection as handlers see it', () => {
    const bob = realtime.connect({ userId: 'bob', permissions: ['write'], metadata: { device: 'phone' } });
    expect(bob.connection).toMatchObject({
      id: bob.id,
      userId: 'bob',
      roles: new Set(),
      permissions: new Set(['write']),
      metadata: { device: 'phone' },
    });
  });

  it('makes the events of a real one', async () => {
    const seen: string[] = [];
    realtime.events$.subscribe((event) => seen.push(`${event.type} ${'topic' in event ? event.topic : ''}`.trim()));
    const bob = realtime.connect({ userId: 'bob' });
    bob.subscribe('one');
    bob.subscribe('two');
    bob.unsubscribe('one');
    await realtime.disconnect(topic('two'));
    expect(seen).toEqual([
      'connected',
      'subscribed one',
      'subscribed two',
      'unsubscribed one',
      'unsubscribed two',
      'disconnected',
    ]);
  });
});
