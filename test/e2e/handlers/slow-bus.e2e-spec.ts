import { Injectable } from '@nestjs/common';
import { OnSubscribe, OnUnsubscribe, TopicGateway } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { beforeEach, describe, expect, it } from 'vitest';
import { InMemoryMessageBus } from '../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** A bus that joins the subject of a topic when the test says so, or fails to. */
@Injectable()
class SlowBus extends MessageBus {
  readonly joins: { succeed: () => void; fail: () => void }[] = [];
  readonly #bus = new InMemoryMessageBus();

  get isAttached(): boolean {
    return this.#bus.isAttached;
  }

  open(...args: Parameters<MessageBus['open']>) {
    this.#bus.open(...args);
  }

  join(subject: string): void | Promise<void> {
    if (!subject.startsWith('topic:')) return this.#bus.join(subject);
    return new Promise((resolve, reject) => {
      this.joins.push({
        succeed: () => resolve(this.#bus.join(subject)),
        fail: () => reject(new Error('the bus is away')),
      });
    });
  }

  leave(subject: string) {
    this.#bus.leave(subject);
  }

  publish(...[subject, envelope]: Parameters<MessageBus['publish']>) {
    return this.#bus.publish(subject, envelope);
  }

  ask: MessageBus['ask'] = (subject, question) => this.#bus.ask(subject, question);

  close() {
    this.#bus.close();
  }
}

let left: number;

@TopicGateway('desk')
class DeskTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnUnsubscribe()
  leave() {
    left += 1;
  }
}

let app: RealtimeApp;
let bus: SlowBus;
let ann: Guest;

const SUBSCRIBE = { action: 'subscribe', topic: 'desk' };

beforeEach(async () => {
  left = 0;
  app = await startRealtimeApp({ providers: [DeskTopic], ports: [{ provide: MessageBus, useClass: SlowBus }] });
  bus = app.app.get<SlowBus>(MessageBus);
  ann = await app.connectAs('ann');
  ann.send({ ...SUBSCRIBE, id: 1 });
  await expect.poll(() => bus.joins).toHaveLength(1);
});

describe('while the bus has not joined a topic', () => {
  it('a client that asks for what the server is subscribing it to waits as well', async () => {
    const subscribed = app.realtime.subscribe(ann.id, 'other');
    await expect.poll(() => bus.joins).toHaveLength(2);
    bus.joins[0]!.succeed();
    await ann.next(({ id }) => id === 1);
    ann.send({ action: 'subscribe', topic: 'other', id: 2 });
    expect(await typesReceivedBy(ann)).toEqual([]);
    bus.joins[1]!.succeed();
    expect((await ann.next(({ id }) => id === 2)).type).toBe('realtime:subscribed');
    expect(await subscribed).toBe(true);
  });

  it('no client is told that the subscription is active', async () => {
    expect(await typesReceivedBy(ann)).toEqual([]);
    bus.joins[0]!.succeed();
    expect(await ann.next()).toMatchObject({ type: 'realtime:subscribed', id: 1 });
  });

  it('a second subscriber waits for the same join', async () => {
    const bob = await app.connectAs('bob');
    bob.send({ ...SUBSCRIBE, id: 1 });
    expect(await typesReceivedBy(bob)).toEqual([]);
    bus.joins[0]!.succeed();
    expect(await bob.next()).toMatchObject({ type: 'realtime:subscribed' });
    expect(bus.joins).toHaveLength(1);
  });

  it('the server may take the connection off again, and the command is answered once', async () => {
    await app.realtime.unsubscribe(ann.id, 'desk', { reason: 'closed' });
    bus.joins[0]!.succeed();
    expect([await ann.next(), await ann.next(), await typesReceivedBy(ann)]).toMatchObject([
      { type: 'realtime:unsubscribed', payload: { reason: 'closed' } },
      { type: 'realtime:error', id: 1, payload: { code: 'FORBIDDEN', action: 'subscribe', topic: 'desk' } },
      [],
    ]);
  });

  it('the client may leave, and nothing is left of it', async () => {
    ann.socket.terminate();
    await expect.poll(() => app.realtime.connection(ann.id)).toBeUndefined();
    bus.joins[0]!.succeed();
    await expect.poll(() => left).toBe(1);
    expect(await app.realtime.counts()).toEqual({ connections: 0, users: 0, topics: 0, subscriptions: 0 });
  });
});

describe('when the bus cannot join a topic', () => {
  it('the client is told to try again', async () => {
    bus.joins[0]!.fail();
    expect(await ann.next()).toMatchObject({
      type: 'realtime:error',
      id: 1,
      payload: { code: 'UNAVAILABLE', retryable: true, action: 'subscribe', topic: 'desk' },
    });
  });

  it('there is no subscription', async () => {
    bus.joins[0]!.fail();
    await ann.next('realtime:error');
    expect(await app.realtime.counts()).toMatchObject({ topics: 0, subscriptions: 0 });
  });

  it('who was let in is seen to leave', async () => {
    bus.joins[0]!.fail();
    await ann.next('realtime:error');
    await expect.poll(() => left).toBe(1);
  });

  it('all who waited for it are told', async () => {
    const bob = await app.connectAs('bob');
    bob.send({ ...SUBSCRIBE, id: 1 });
    await bob.settled();
    bus.joins[0]!.fail();
    expect([await ann.next(), await bob.next()]).toMatchObject([
      { payload: { code: 'UNAVAILABLE' } },
      { payload: { code: 'UNAVAILABLE' } },
    ]);
  });

  it('trying again may work', async () => {
    bus.joins[0]!.fail();
    await ann.next('realtime:error');
    ann.send({ ...SUBSCRIBE, id: 2 });
    await expect.poll(() => bus.joins).toHaveLength(2);
    bus.joins[1]!.succeed();
    expect(await ann.next()).toMatchObject({ type: 'realtime:subscribed', id: 2 });
  });
});
