import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeClient } from '../../../test/helpers/fake-client.js';
import { sessionParts } from '../../../test/helpers/session-parts.js';
import { role, topic as topicAddress, user } from '../../core/routing/address.js';
import { subjectOf } from '../../core/bus/subject.js';
import { createConnection } from '../../core/connection/connection.js';
import type { TopicGrant } from '../auth/topic-tokens.js';
import type { DeliveryTarget } from '../../delivery/delivery-target.js';
import type { SubscribeDecision } from '../../handlers/subscribe-decision.js';
import { HookOrder } from './hook-order.js';
import { PageTurns } from './page-turns.js';
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
  const messages = { endStreams: (topic: string) => void left.push(topic) };
  const pages = new PageTurns(client, { wait: () => undefined }, parts.services.turns);
  subscriptions = new TopicSubscriptions(client, parts.services, hooks, messages, pages);
});

const subscribe = (topic: string, more: object = {}) =>
  subscriptions.subscribe({ action: 'subscribe', topic, id: 7, ...more });
const publish = (name: string, text: string) =>
  parts.bus.publish(subjectOf(topicAddress(name))!, {
    to: [topicAddress(name)],
    except: [],
    content: { kind: 'message', text },
  });
/** Has the topics judged again, and waits until each of them is decided. */
async function reauthorized(): Promise<void> {
  const topics = [...parts.pubSub.topicsOf(client.connection.id)];
  subscriptions.reauthorize();
  for (const topic of topics) await subscriptions.decided(topic);
}
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
    await vi.waitFor(() => expect(isIn('a')).toBe(true), 15_000);
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

  it('that is begun again while the bus is joined anew misses nothing meanwhile', async () => {
    parts.policyOf.set('log', { history: HISTORY });
    const say = (text: string) => parts.history.publish('log', text, HISTORY, { report: true });
    await subscribe('log');
    let joined!: () => void;
    parts.bus.joining = new Promise((resolve) => (joined = resolve));
    vi.spyOn(parts.bus, 'isAttached', 'get').mockReturnValue(false);
    const join = vi.spyOn(parts.bus, 'join');
    const work = subscribe('log');
    await vi.waitFor(() => expect(join).toHaveBeenCalled(), 15_000);
    await say('"one"');
    joined();
    await work;
    await say('"two"');
    expect(client.told).toMatchObject([
      { kind: 'subscribed', position: { offset: 0 } },
      'one',
      { kind: 'subscribed', position: { offset: 1 } },
      'two',
    ]);
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
    await vi.waitFor(() => expect(isIn('a')).toBe(true), 15_000);
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

  it('of a client that an order ends before it could enter is seen to end by the application', async () => {
    const unsubscribed = vi.spyOn(parts.dispatcher, 'unsubscribed');
    vi.spyOn(parts.delivery, 'catchUp').mockImplementationOnce(() => {
      client.disconnect('FORCED');
      return false;
    });
    await subscribe('a');
    expect([unsubscribed.mock.calls.length, client.told, parts.seen]).toEqual([1, [], []]);
  });

  it('by a token that is not good is refused', async () => {
    await subscribe('a', { token: 'bad' });
    expect([client.errors.length, isIn('a')]).toEqual([1, false]);
  });

  it('that does not exist cannot be renewed', async () => {
    await subscribe('a', { token: 't', renews: true });
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  it.each([
    ['is confirmed with its new end when it stays', false],
    ['is refused, and its token forgotten, when it ends', true],
  ])('whose token is verified for a renewal %s', async (_what, ends) => {
    const expiresAt = new Date(60_000);
    let verified!: () => void;
    const verifying = new Promise<void>((resolve) => (verified = resolve));
    vi.spyOn(parts.services.topicTokens, 'judge').mockImplementation(async () => {
      await verifying;
      return { ok: true, expiresAt };
    });
    await subscribe('a');
    const work = subscribe('a', { token: 't', renews: true, id: 8 });
    if (ends) subscriptions.unsubscribeByServer('a', 'for the test');
    verified();
    await work;
    expect(client.told.at(-1)).toMatchObject(
      ends
        ? { kind: 'error', id: 8, error: { code: 'FORBIDDEN' } }
        : { kind: 'subscribed', id: 8, expiresAt: expiresAt.toISOString() },
    );
    expect(subscriptions.tokenEndOf('a')).toEqual(ends ? undefined : expiresAt);
  });

  it('is judged by the newer rights when they change while the handler is asked', async () => {
    const asked = vi.mocked(parts.dispatcher.subscribe);
    const work = subscribe('a');
    client.connection = createConnection({ ...client.connection, roles: ['admin'] });
    subscriptions.reauthorize();
    await work;
    expect(asked.mock.calls.map(([, , , event]) => event)).toEqual(['subscribe', 'reauthorize']);
  });

  it('ends when the rights do not open the topic any more, and the client is told why', async () => {
    for (const topic of ['a', 'b']) await subscribe(topic);
    closed.add('a');
    await reauthorized();
    expect([isIn('a'), isIn('b'), left]).toEqual([false, true, ['a']]);
    expect(client.told.at(-1)).toEqual({ kind: 'unsubscribed', topic: 'a', reason: 'No.', code: 'FORBIDDEN' });
  });

  describe.each(['UNAVAILABLE', 'TIMEOUT', 'TOKEN_EXPIRED', 'VALIDATION_FAILED'] as const)(
    'that ends with %s',
    (code) => {
      const end = () => {
        vi.mocked(parts.dispatcher.subscribe).mockResolvedValueOnce({
          allowed: false,
          error: { code, message: 'No.' },
        });
        return reauthorized();
      };

      it('says so', async () => {
        await subscribe('a');
        await end();
        expect(client.told.at(-1)).toEqual({ kind: 'unsubscribed', topic: 'a', reason: 'No.', code });
      });

      it('before it is active is refused with that', async () => {
        let joined!: () => void;
        parts.bus.joining = new Promise((resolve) => (joined = resolve));
        const work = subscribe('a');
        await vi.waitFor(() => expect(isIn('a')).toBe(true), 15_000);
        await end();
        joined();
        await work;
        expect(client.told).toMatchObject([
          { kind: 'unsubscribed', topic: 'a', code },
          { kind: 'error', id: 7, error: { code } },
        ]);
      });

      it('while its token is renewed answers the renewal with that', async () => {
        await subscribe('a');
        let verified!: () => void;
        const grant = new Promise<TopicGrant>(
          (resolve) => (verified = () => resolve({ ok: true, expiresAt: new Date(9_000) })),
        );
        vi.spyOn(parts.services.topicTokens, 'judge').mockReturnValueOnce(grant);
        const work = subscribe('a', { renews: true, token: 'newer', id: 8 });
        await end();
        verified();
        await work;
        expect(client.errors).toEqual([[code, 8]]);
      });
    },
  );

  describe('to a topic that delivers the latest values', () => {
    /** The rate of the subscription, as the delivery was told, after each subscribe. */
    let rates: (number | undefined)[];

    beforeEach(() => {
      parts.policyOf.set('a', { delivery: { slow: 'latest' } });
      rates = [];
      const { paces } = parts.delivery;
      const enter = paces.enter.bind(paces);
      vi.spyOn(paces, 'enter').mockImplementation((name, id, pace, recovers) => {
        rates.push(pace.askedHz);
        enter(name, id, pace, recovers);
      });
    });

    const grant = (maxRateHz: number | undefined) =>
      vi
        .mocked(parts.dispatcher.subscribe)
        .mockResolvedValueOnce({ allowed: true, ...(maxRateHz !== undefined && { maxRateHz }) });

    it('keeps the rate that the handler has granted when the client asks for more without asking it', async () => {
      grant(2);
      await subscribe('a');
      await subscribe('a', { maxRateHz: 100 });
      await subscribe('a', { maxRateHz: 1 });
      expect(rates).toEqual([2, 2, 1]);
    });

    it('keeps the rate that the client has asked for when the handler grants more', async () => {
      grant(undefined);
      await subscribe('a', { maxRateHz: 5 });
      grant(50);
      await subscribe('a', { payload: 1 });
      grant(2);
      await subscribe('a', { payload: 2 });
      expect(rates).toEqual([5, 5, 2]);
    });

    it('has the rate of the handler’s last grant', async () => {
      grant(2);
      await subscribe('a');
      grant(10);
      await subscribe('a', { payload: 1 });
      await subscribe('a', { maxRateHz: 100 });
      expect(rates).toEqual([2, 10, 10]);
    });

    describe('and keeps a history', () => {
      const history = { ...HISTORY, sendLast: 1 };
      const say = (type: string) => parts.history.publish('a', `{"type":"${type}"}`, history, { report: true });

      beforeEach(async () => {
        parts.policyOf.set('a', { history, delivery: { slow: 'latest', maxRateHz: 0.1 } });
        await subscribe('a');
      });

      it('loses no value that waits when it is begun again', async () => {
        for (const type of ['one', 'two', 'three']) await say(type);
        await subscribe('a');
        const told = client.told.map(({ kind, type }) => (kind ?? type) as string);
        expect(told).toEqual(['subscribed', 'one', 'two', 'three', 'subscribed', 'three']);
      });

      it('gets what waits for its socket before the answer, not after it, when it is begun again', async () => {
        let isBlocked = true;
        let drain = (): void => undefined;
        const written = new Promise<void>((resolve) => (drain = resolve));
        vi.spyOn(client.socket, 'written').mockImplementation(() => (isBlocked ? written : undefined));
        for (const type of ['one', 'two', 'three']) await say(type);
        await subscribe('a');
        isBlocked = false;
        drain();
        await written;
        await Promise.resolve();
        const told = client.told.map(({ kind, type }) => (kind ?? type) as string);
        expect(told).toEqual(['subscribed', 'one', 'two', 'three', 'subscribed', 'three']);
      });

      it('gets each value once when it recovers', async () => {
        const { epoch, offset } = await say('one');
        for (const type of ['two', 'three']) await say(type);
        await subscribe('a', { recover: { epoch, offset } });
        const told = client.told.map(({ kind, type }) => (kind ?? type) as string);
        expect(told).toEqual(['subscribed', 'one', 'subscribed', 'two', 'three']);
      });
    });

    it('keeps no rate of one that has ended', async () => {
      grant(2);
      await subscribe('a');
      await subscriptions.leave('a');
      await subscribe('a', { maxRateHz: 100 });
      expect(rates).toEqual([2, 100]);
    });
  });

  describe('is judged again', () => {
    /** The payload by which the topic is judged again. */
    const judgedBy = async () => {
      await reauthorized();
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
      await reauthorized();
      await reauthorized();
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

    it('by the payload before when another one was too large to be kept', async () => {
      const payload = { key: 'x'.repeat(60_000) };
      await subscribe('a', { payload });
      await subscribe('b', { payload: { key: 1 } });
      await subscribe('b', { payload: { ...payload, more: 'x'.repeat(20_000) } });
      expect(client.errors).toEqual([['LIMIT_EXCEEDED', 7]]);
      vi.mocked(parts.dispatcher.subscribe).mockClear();
      await reauthorized();
      const asked = vi.mocked(parts.dispatcher.subscribe).mock.calls.map(([, topic, by]) => [topic, by]);
      expect(asked).toEqual([
        ['a', payload],
        ['b', { key: 1 }],
      ]);
    });

    it('without the payload of a subscription that could not begin', async () => {
      parts.bus.joining = Promise.reject(new Error('away'));
      await subscribe('a', { payload: { key: 1 } });
      parts.bus.joining = undefined;
      await subscribe('a');
      expect(await judgedBy()).toEqual(['reauthorize', undefined]);
    });
  });

  describe('is under judgement', () => {
    let decide!: (decision: SubscribeDecision) => void;

    /** Subscribes to the topic, and begins to judge it; the test decides. */
    async function judged(topic: string): Promise<void> {
      await subscribe(topic);
      vi.mocked(parts.dispatcher.subscribe).mockImplementation(() => new Promise((resolve) => (decide = resolve)));
      subscriptions.reauthorize();
      await vi.waitFor(() => expect(decide).toBeTypeOf('function'), 15_000);
      client.told.length = 0;
    }

    beforeEach(() => {
      decide = undefined as never;
    });

    it.each([undefined, { history: HISTORY }])(
      'what arrives is given out in order when it stays (%j)',
      async (policy) => {
        if (policy) parts.policyOf.set('a', policy);
        await judged('a');
        const send = (text: string) =>
          policy ? parts.history.publish('a', text, HISTORY, { report: true }) : publish('a', text);
        for (const text of ['"one"', '"two"']) expect((await send(text))?.recipients).toBe(1);
        expect(client.told).toEqual([]);
        decide({ allowed: true });
        await subscriptions.decided('a');
        await send('"three"');
        expect(client.told).toEqual(['one', 'two', 'three']);
      },
    );

    it('what arrives is dropped when it ends', async () => {
      await judged('a');
      await publish('a', '"one"');
      decide({ allowed: false, error: { code: 'FORBIDDEN', message: 'No.' } });
      await subscriptions.decided('a');
      expect(client.told).toEqual([{ kind: 'unsubscribed', topic: 'a', reason: 'No.', code: 'FORBIDDEN' }]);
    });

    it('what arrives to several addresses comes at once when another one reaches the client', async () => {
      await judged('a');
      const to = [topicAddress('a'), user('ann')];
      void parts.delivery.deliver({ to, except: [], content: { kind: 'message', text: '"to ann too"' } });
      expect(client.told).toEqual(['to ann too']);
      void parts.delivery.deliver({
        to: [topicAddress('a'), role('x')],
        except: [],
        content: { kind: 'message', text: '"held"' },
      });
      expect(client.told).toEqual(['to ann too']);
    });

    it('more arrives than can be held: it ends, and may be begun again', async () => {
      await judged('a');
      const text = JSON.stringify('x'.repeat(100_000));
      for (let n = 0; n < 6; n++) await publish('a', text);
      await subscriptions.decided('a');
      expect(client.told).toMatchObject([{ kind: 'unsubscribed', topic: 'a', code: 'UNAVAILABLE' }]);
      expect([isIn('a'), left]).toEqual([false, ['a']]);
    });

    it('the rights change again: only the newer judgement counts', async () => {
      await judged('a');
      const first = decide;
      subscriptions.reauthorize();
      await publish('a', '"one"');
      first({ allowed: true });
      await vi.waitFor(() => expect(decide).not.toBe(first));
      expect(client.told).toEqual([]);
      decide({ allowed: false, error: { code: 'FORBIDDEN', message: 'No.' } });
      await subscriptions.decided('a');
      expect(client.told).toMatchObject([{ kind: 'unsubscribed' }]);
    });

    it('the client leaves it, and nothing is held any more', async () => {
      await judged('a');
      await publish('a', '"one"');
      await subscriptions.leave('a');
      decide({ allowed: true });
      await subscriptions.decided('a');
      expect([client.told, parts.delivery.held.isEmpty]).toEqual([[], true]);
    });

    it('the client goes, and nothing is held any more', async () => {
      await judged('a');
      subscriptions.stop();
      parts.membership.remove(client.connection.id);
      expect(parts.delivery.held.isEmpty).toBe(true);
    });
  });

  it('that has not begun when the rights change is confirmed only once it is judged', async () => {
    let joined!: () => void;
    parts.bus.joining = new Promise((resolve) => (joined = resolve));
    const work = subscribe('a');
    await vi.waitFor(() => expect(isIn('a')).toBe(true), 15_000);
    closed.add('a');
    subscriptions.reauthorize();
    joined();
    await work;
    expect(client.told).toMatchObject([
      { kind: 'unsubscribed', topic: 'a' },
      { kind: 'error', id: 7, error: { code: 'FORBIDDEN' } },
    ]);
  });

  it('with a new payload is judged by the newer rights when they change meanwhile', async () => {
    await subscribe('a');
    const asked = vi.mocked(parts.dispatcher.subscribe);
    const work = subscribe('a', { payload: { key: 2 } });
    closed.add('a');
    subscriptions.reauthorize();
    await work;
    expect([isIn('a'), asked.mock.lastCall![3]]).toEqual([false, 'reauthorize']);
    expect(client.errors).toEqual([['FORBIDDEN', 7]]);
  });

  describe('by a topic token that was revoked', () => {
    let isRevoked: () => Promise<boolean>;

    beforeEach(async () => {
      vi.spyOn(parts.services.topicTokens, 'judge').mockResolvedValue({
        ok: true,
        expiresAt: new Date(10_000),
        isRevoked: () => isRevoked(),
      });
      await subscribe('a', { token: 't' });
      await subscribe('b');
    });

    it('ends when the tokens are checked, and no other does', async () => {
      isRevoked = async () => true;
      subscriptions.revalidate();
      await vi.waitFor(() => expect(isIn('a')).toBe(false), 15_000);
      expect([isIn('b'), client.told.at(-1)]).toEqual([
        true,
        { kind: 'unsubscribed', topic: 'a', reason: 'the token for the topic has been revoked' },
      ]);
    });

    it('stays while nobody can tell', async () => {
      const asked = vi.fn<() => Promise<boolean>>().mockRejectedValue(new Error('away'));
      isRevoked = asked;
      subscriptions.revalidate();
      await vi.waitFor(() => expect(asked).toHaveBeenCalled(), 15_000);
      await new Promise((resolve) => setImmediate(resolve));
      expect(isIn('a')).toBe(true);
    });
  });

  it('that the server has begun asks no handler, and stays whatever the rights', async () => {
    closed.add('a');
    expect(await subscriptions.subscribeByServer('a')).toBe(true);
    await reauthorized();
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
