import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import { topic as topicAddress } from '../../core/routing/address.js';
import { subjectOf } from '../../core/bus/subject.js';
import { createConnection } from '../../core/connection/connection.js';
import type { DeliveryTarget } from '../../delivery/delivery-target.js';
import { HookOrder } from './hook-order.js';
import { TopicSubscriptions } from './topic-subscriptions.js';

const HISTORY = { size: 10, ttlMs: 5_000 };

let parts: ReturnType<typeof sessionParts>;
let client: FakeClient;
let left: string[];
let subscriptions: TopicSubscriptions;
/** Topics that no handler opens. */
let closed: Set<string>;

beforeEach(() => {
  parts = sessionParts({ limits: { maxTopicsPerConnection: 2 } });
  client = new FakeClient();
  left = [];
  closed = new Set();
  void parts.membership.add(client.connection, { socket: client.socket, missed() {} } as unknown as DeliveryTarget);
  vi.spyOn(parts.dispatcher, 'subscribe').mockImplementation(async (_connection, topic) =>
    closed.has(topic) ? { allowed: false, error: { code: 'FORBIDDEN', message: 'No.' } } : { allowed: true },
  );
  const hooks = new HookOrder(parts.services);
  subscriptions = new TopicSubscriptions(client, parts.services, hooks, {
    endStreams: (topic) => void left.push(topic),
  });
});

const subscribe = (topic: string, more: object = {}) =>
  subscriptions.subscribe({ action: 'subscribe', topic, id: 7, ...more });
const publish = (name: string, text: string) =>
  parts.bus.publish(subjectOf(topicAddress(name))!, {
    to: [topicAddress(name)],
    except: [],
    content: { kind: 'message', text },
  });
const isIn = (topic: string) => parts.pubSub.isSubscribed(client.connection.id, topic);

describe('a subscription', () => {
  it('is confirmed, announced, and gets what is published', async () => {
    await subscribe('a');
    await publish('a', '"one"');
    expect([client.told, parts.seen]).toEqual([[{ kind: 'subscribed', id: 7, topic: 'a' }, 'one'], ['subscribed a']]);
  });

  it('gets nothing before it is confirmed', async () => {
    let joined!: () => void;
    parts.bus.joining = new Promise((resolve) => (joined = resolve));
    const work = subscribe('a');
    await vi.waitFor(() => expect(isIn('a')).toBe(true));
    await publish('a', '"early"');
    expect(client.told).toEqual([]);
    joined();
    await work;
    await publish('a', '"one"');
    expect(client.told).toEqual([{ kind: 'subscribed', id: 7, topic: 'a' }, 'one']);
  });

  it('begins at the position of a topic that keeps a history', async () => {
    parts.policyOf.set('log', { history: HISTORY });
    await subscribe('log');
    expect(client.told).toMatchObject([{ kind: 'subscribed', topic: 'log', position: { offset: 0 } }]);
  });

  it('recovers what was missed, right behind the confirmation', async () => {
    parts.policyOf.set('log', { history: HISTORY });
    const { epoch, offset } = await parts.history.publish('log', '"one"', HISTORY, { report: true });
    await parts.history.publish('log', '"two"', HISTORY, { report: true });
    await subscribe('log', { recover: { epoch, offset } });
    expect(client.told).toMatchObject([{ kind: 'subscribed', recovered: true }, 'two']);
  });

  it('is refused when the handler says no', async () => {
    closed.add('a');
    await subscribe('a');
    expect([client.errors, isIn('a'), parts.seen]).toEqual([[['FORBIDDEN', 7]], false, []]);
  });

  it('is refused above the limit', async () => {
    for (const topic of ['a', 'b', 'c']) await subscribe(topic);
    expect([client.errors, isIn('c')]).toEqual([[['LIMIT_EXCEEDED', 7]], false]);
  });

  it('is ended, and the client told, when the bus cannot be joined', async () => {
    parts.bus.joining = Promise.reject(new Error('away'));
    await subscribe('a');
    expect([client.errors, isIn('a')]).toEqual([[['UNAVAILABLE', 7]], false]);
  });

  it('that the server ends before it is active is refused', async () => {
    let joined!: () => void;
    parts.bus.joining = new Promise((resolve) => (joined = resolve));
    const work = subscribe('a');
    await vi.waitFor(() => expect(isIn('a')).toBe(true));
    subscriptions.unsubscribeByServer('a', 'for the test');
    joined();
    await work;
    expect(client.told).toMatchObject([
      { kind: 'unsubscribed', topic: 'a' },
      { kind: 'error', id: 7, error: { code: 'FORBIDDEN' } },
    ]);
    expect(parts.seen).toEqual(['unsubscribed a']);
  });

  it('of a client that has gone meanwhile is seen to end by the application', async () => {
    const unsubscribed = vi.spyOn(parts.dispatcher, 'unsubscribed');
    const work = subscribe('a');
    client.disconnect('DISCONNECTED');
    await work;
    expect([unsubscribed.mock.calls.length, client.told, isIn('a')]).toEqual([1, [], false]);
  });

  it('by a token that is not good is refused', async () => {
    await subscribe('a', { token: 'bad' });
    expect([client.errors.length, isIn('a')]).toEqual([1, false]);
  });

  it('that does not exist cannot be renewed', async () => {
    await subscribe('a', { token: 't', renews: true });
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  it('is judged by the newer rights when they change while the handler is asked', async () => {
    const asked = vi.mocked(parts.dispatcher.subscribe);
    const work = subscribe('a');
    client.connection = createConnection({ ...client.connection, roles: ['admin'] });
    await work;
    expect(asked.mock.calls.map(([, , , event]) => event)).toEqual(['subscribe', 'reauthorize']);
  });

  it('ends when the rights do not open the topic any more, and the client is told why', async () => {
    for (const topic of ['a', 'b']) await subscribe(topic);
    closed.add('a');
    await subscriptions.reauthorize();
    expect([isIn('a'), isIn('b'), left]).toEqual([false, true, ['a']]);
    expect(client.told.at(-1)).toEqual({ kind: 'unsubscribed', topic: 'a', reason: 'No.' });
  });

  it.each([
    ['UNAVAILABLE', { retryable: true }],
    ['TIMEOUT', { retryable: true }],
    ['RATE_LIMITED', { retryable: true }],
    ['VALIDATION_FAILED', {}],
    ['TOPIC_NOT_FOUND', {}],
  ] as const)('that ends with %s says whether it may be tried again', async (code, said) => {
    await subscribe('a');
    vi.mocked(parts.dispatcher.subscribe).mockResolvedValueOnce({ allowed: false, error: { code, message: 'No.' } });
    await subscriptions.reauthorize();
    expect(client.told.at(-1)).toEqual({ kind: 'unsubscribed', topic: 'a', reason: 'No.', ...said });
  });

  describe('is judged again', () => {
    /** The payload by which the topic is judged again. */
    const judgedBy = async () => {
      await subscriptions.reauthorize();
      const [, , payload, event] = vi.mocked(parts.dispatcher.subscribe).mock.lastCall!;
      return [event, payload];
    };

    it('by the payload that it began with, and later by that of the last subscribe that was accepted', async () => {
      await subscribe('a', { payload: { key: 1 } });
      expect(await judgedBy()).toEqual(['reauthorize', { key: 1 }]);
      await subscribe('a', { payload: { key: 2 } });
      expect(await judgedBy()).toEqual(['reauthorize', { key: 2 }]);
    });

    it.each([null, 0, false, '', []])('by a payload that is %j', async (payload) => {
      await subscribe('a', { payload });
      expect(await judgedBy()).toEqual(['reauthorize', payload]);
    });

    it('by the payload as the client sent it, also when a handler has changed the object', async () => {
      vi.mocked(parts.dispatcher.subscribe).mockImplementation(async (_connection, _topic, payload) => {
        delete (payload as { key?: number }).key;
        return { allowed: true };
      });
      const seen: unknown[] = [];
      await subscribe('a', { payload: { key: 1 } });
      vi.mocked(parts.dispatcher.subscribe).mockImplementation(async (_connection, _topic, payload) => {
        seen.push(structuredClone(payload));
        delete (payload as { key?: number }).key;
        return { allowed: true };
      });
      await subscriptions.reauthorize();
      await subscriptions.reauthorize();
      expect(seen).toEqual([{ key: 1 }, { key: 1 }]);
    });

    it('by the payload before when another one was refused, or a subscribe had none', async () => {
      await subscribe('a', { payload: { key: 1 } });
      closed.add('a');
      await subscribe('a', { payload: { key: 2 } });
      closed.delete('a');
      await subscribe('a');
      expect(await judgedBy()).toEqual(['reauthorize', { key: 1 }]);
    });

    it('without the payload of a subscription that has ended', async () => {
      await subscribe('a', { payload: { key: 1 } });
      await subscriptions.leave('a');
      await subscribe('a');
      expect(await judgedBy()).toEqual(['reauthorize', undefined]);
    });

    it('without the payload of a subscription that could not begin', async () => {
      parts.bus.joining = Promise.reject(new Error('away'));
      await subscribe('a', { payload: { key: 1 } });
      parts.bus.joining = undefined;
      await subscribe('a');
      expect(await judgedBy()).toEqual(['reauthorize', undefined]);
    });
  });

  it('that the server has begun asks no handler, and stays whatever the rights', async () => {
    closed.add('a');
    expect(await subscriptions.subscribeByServer('a')).toBe(true);
    await subscriptions.reauthorize();
    expect([isIn('a'), subscriptions.isChosenByServer('a'), subscriptions.subscribeByServer('a')]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is the client’s as well when both have begun it', async () => {
    await subscriptions.subscribeByServer('a');
    await subscribe('a');
    expect(subscriptions.isChosenByServer('a')).toBe(false);
  });

  it('is left once', async () => {
    await subscribe('a');
    await subscriptions.leave('a');
    expect([subscriptions.leave('a'), left, parts.seen]).toEqual([
      undefined,
      ['a'],
      ['subscribed a', 'unsubscribed a'],
    ]);
  });
});
