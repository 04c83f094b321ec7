import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import { all, connection, role, topic, user, type Address } from '../core/routing/address.js';
import { createConnection } from '../core/connection/connection.js';
import type { EnvelopeContent } from '../core/routing/envelope.js';
import type { ConnectionSocket } from '../ports/connection-socket.js';
import type { Frame } from '../ports/frame.js';
import type { StreamPosition } from '../core/history/history.js';
import type { DeliveryTarget } from './delivery-target.js';
import { TopicHold } from './held-topics.js';
import { LocalDelivery } from './local-delivery.js';
import { PresenceWatchers } from './presence-watchers.js';
import { NodeMeter } from './node-meter.js';

const codec = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity, maxValues: Infinity });

/** A connection that keeps what it is told. */
class FakeTarget implements DeliveryTarget {
  constructor(readonly hasPersonalTopic = false) {}
  readonly frames: Frame[] = [];
  readonly orders: string[] = [];
  readonly socket: ConnectionSocket = {
    codec,
    send: (frame: Frame) => void this.frames.push(frame),
    close: () => undefined,
    written: () => undefined,
    hasRoomFor: () => true,
  };
  disconnect(code: string, reason: string): void {
    this.orders.push(`disconnect ${code} ${reason}`);
  }
  subscribe(name: string): boolean {
    this.orders.push(`subscribe ${name}`);
    return true;
  }
  unsubscribe(name: string, reason: string): boolean {
    this.orders.push(`unsubscribe ${name} ${reason}`);
    return true;
  }
  missed(name: string, { offset }: StreamPosition): void {
    this.orders.push(`missed ${name} before ${offset}`);
  }
  leftOut(name: string, count: number): void {
    this.orders.push(`left out ${count} of ${name}`);
  }
  changeRights({ roles }: { roles?: readonly string[] }): void {
    this.orders.push(`rights ${roles?.join()}`);
  }
  updateMetadata({ patch }: { patch: object }): void {
    this.orders.push(`metadata ${Object.keys(patch).join()}`);
  }
  revalidate(): void {
    this.orders.push('revalidate');
  }
}

let pubSub: InMemoryPubSubManager;
let connections: InMemoryConnectionRegistry;
let watchers: PresenceWatchers;
let delivery: LocalDelivery;
let meter: NodeMeter;

beforeEach(() => {
  connections = new InMemoryConnectionRegistry();
  pubSub = new InMemoryPubSubManager();
  watchers = new PresenceWatchers();
  meter = new NodeMeter();
  delivery = new LocalDelivery(connections, pubSub, watchers, { now: () => 0 }, meter);
});

function connect<T extends DeliveryTarget>(id: string, target: T, roles: string[] = []): T {
  connections.set(createConnection({ id, userId: id, roles, createdAt: new Date(0) }));
  delivery.attach(id, target);
  return target;
}

const MESSAGE: EnvelopeContent = { kind: 'message', text: '{"type":"x"}' };
const deliver = (to: Address[], content: EnvelopeContent = MESSAGE, except: Address[] = []) =>
  delivery.deliver({ to, except, content });

describe('a message', () => {
  it.each([
    ['a user', user('a'), ['a']],
    ['a role', role('staff'), ['a', 'b']],
    ['a connection', connection('b'), ['b']],
    ['a topic', topic('feed'), ['c']],
    ['everybody', all(), ['a', 'b', 'c']],
    ['nobody', user('zoe'), []],
  ])('to %s is handed to the sockets behind the address', (_what, address, reached) => {
    const targets = {
      a: connect('a', new FakeTarget(), ['staff']),
      b: connect('b', new FakeTarget(), ['staff']),
      c: connect('c', new FakeTarget()),
    };
    pubSub.subscribe('c', 'feed');
    const count = deliver([address]);
    const served = Object.entries(targets).flatMap(([name, { frames }]) => (frames.length > 0 ? [name] : []));
    expect([count, served]).toEqual([reached.length, reached]);
  });

  it('is one frame for all its recipients', () => {
    const [a, b] = [connect('a', new FakeTarget()), connect('b', new FakeTarget())];
    void deliver([all()]);
    expect(a.frames[0]).toBe(b.frames[0]);
  });

  it('names the topic when a topic is its only address', () => {
    const a = connect('a', new FakeTarget());
    pubSub.subscribe('a', 'feed');
    void deliver([topic('feed')]);
    expect(a.frames[0]!.payload).toBe('{"type":"x","topic":"feed"}');
  });

  it('names no topic when it has more addresses', () => {
    const a = connect('a', new FakeTarget());
    pubSub.subscribe('a', 'feed');
    void deliver([topic('feed'), user('b')]);
    expect(a.frames[0]!.payload).toBe('{"type":"x"}');
  });

  it('to the topic of a user’s own reaches those of the user’s connections that have it', () => {
    const [a, b] = [new FakeTarget(true), new FakeTarget()];
    for (const [id, target] of Object.entries({ a, b })) {
      connections.set(createConnection({ id, userId: 'ann', createdAt: new Date(0) }));
      delivery.attach(id, target);
    }
    connect('c', new FakeTarget(true));
    expect([deliver([topic('#user:ann')]), a.frames.length, b.frames.length]).toEqual([1, 1, 0]);
  });

  it('is not counted for a connection whose socket is gone', () => {
    connect('a', new FakeTarget());
    delivery.detach('a');
    expect(deliver([all()])).toBe(0);
  });
});

describe('news of who joined a topic', () => {
  const JOINED: EnvelopeContent = { kind: 'joined', userId: 'ann', info: { name: 'Ann' } };
  const subscribed = (id: string) => {
    pubSub.subscribe(id, 'feed');
    return connect(id, new FakeTarget());
  };

  it('reaches those who watch the topic, and none of its other subscribers', () => {
    const [a, b] = [subscribed('a'), subscribed('b')];
    watchers.watch('feed', 'a');
    expect([deliver([topic('feed')], JOINED), a.frames.length, b.frames.length]).toEqual([1, 1, 0]);
  });

  it('says who, in which topic, and when', () => {
    const a = subscribed('a');
    watchers.watch('feed', 'a');
    void deliver([topic('feed')], JOINED);
    expect(JSON.parse(String(a.frames[0]!.payload))).toEqual({
      type: 'realtime:joined',
      payload: { topic: 'feed', userId: 'ann', info: { name: 'Ann' } },
      timestamp: '1970-01-01T00:00:00.000Z',
    });
  });

  it('is one frame for all who watch', () => {
    const [a, b] = [subscribed('a'), subscribed('b')];
    for (const id of ['a', 'b']) watchers.watch('feed', id);
    void deliver([topic('feed')], { kind: 'left', userId: 'ann' });
    expect([a.frames.length, a.frames[0]]).toEqual([1, b.frames[0]]);
    expect(a.frames[0]).toBe(b.frames[0]);
  });

  it('reaches nobody any more who watches no longer', () => {
    const a = subscribed('a');
    watchers.watch('feed', 'a');
    watchers.unwatch('feed', 'a');
    expect([deliver([topic('feed')], JOINED), a.frames]).toEqual([0, []]);
  });

  it.each([[all()], [user('a')], [topic('feed'), topic('other')]])(
    'reaches nobody when it is about no topic',
    (...to) => {
      const a = subscribed('a');
      watchers.watch('feed', 'a');
      expect([deliver(to, JOINED), a.frames]).toEqual([0, []]);
    },
  );
});

describe('a message to several topics, all of which are judged again for a recipient', () => {
  /** @returns the hold of each topic */
  const judged = () =>
    ['feed', 'news'].map((name) => {
      const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
      pubSub.subscribe('a', name);
      delivery.held.begin(name, 'a', hold);
      return hold;
    });

  it.each([
    ['the first', 0],
    ['the last', 1],
  ])('is given out when %s of them stays and the other ends', (_which, stays) => {
    const a = connect('a', new FakeTarget());
    const holds = judged();
    const count = deliver([topic('feed'), topic('news')]);
    const early = a.frames.length;
    holds[1 - stays]!.drop();
    holds[stays]!.giveOut();
    expect([count, early, a.frames.length]).toEqual([1, 0, 1]);
  });

  it('is given out once when all of them stay, and never when all end', () => {
    const a = connect('a', new FakeTarget());
    const holds = judged();
    void deliver([topic('feed'), topic('news')]);
    for (const hold of holds) hold.giveOut();
    expect(a.frames).toHaveLength(1);
    const ended = judged();
    void deliver([topic('feed'), topic('news')]);
    for (const hold of ended) hold.drop();
    expect(a.frames).toHaveLength(1);
  });
});

describe('a message to many', () => {
  const COUNT = 1_000;
  const POSITION: StreamPosition = { epoch: 'e', offset: 1 };

  /** Each look at the clock takes four milliseconds, so that 64 connections are a slice. */
  function slowClock(): void {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 4));
    onTestFinished(() => clock.mockRestore());
  }

  function crowd(count = COUNT): FakeTarget[] {
    slowClock();
    return Array.from({ length: count }, (_, n) => {
      pubSub.subscribe(`c${n}`, 'feed');
      return connect(`c${n}`, new FakeTarget(), ['staff']);
    });
  }

  const texts = ({ frames }: FakeTarget) => frames.map(({ payload }) => JSON.parse(String(payload)).type as string);
  const saying = (type: string): EnvelopeContent => ({ kind: 'message', text: JSON.stringify({ type }) });
  const servedOf = (targets: FakeTarget[]) => targets.filter(({ frames }) => frames.length > 0).length;

  it.each([
    ['everybody', all()],
    ['a role', role('staff')],
    ['a topic', topic('feed')],
  ])('(%s) is given to them in later turns as well, and reported when all have it', async (_whom, address) => {
    const targets = crowd();
    const count = deliver([address]);
    const slices = [servedOf(targets)];
    for (let turn = 0; slices.at(-1)! < COUNT && turn < 100; turn++) {
      await nextTurn();
      slices.push(servedOf(targets));
    }
    expect(Math.max(...slices.map((served, nth) => served - (slices[nth - 1] ?? 0)))).toBeLessThanOrEqual(64);
    expect(await count).toBe(COUNT);
    expect(targets.every(({ frames }) => frames.length === 1)).toBe(true);
  });

  it('is given to them in one turn when there are 256 of them', () => {
    const targets = crowd(256);
    expect([deliver([all()]), servedOf(targets)]).toEqual([256, 256]);
  });

  it('is not counted for a connection that goes before its turn', async () => {
    const targets = crowd();
    const count = deliver([all()]);
    delivery.detach('c999');
    expect([await count, targets.at(-1)!.frames]).toEqual([COUNT - 1, []]);
  });

  it('is counted at once if it is a publication', async () => {
    const targets = crowd();
    const count = deliver([topic('feed')], { kind: 'message', text: '{"type":"x"}', position: POSITION });
    expect(count).toBe(COUNT);
    await vi.waitFor(() => expect(servedOf(targets)).toBe(COUNT));
  });

  it.each<[string, Address]>([
    ['everybody', all()],
    ['one of them', connection('c999')],
    ['a user', user('c999')],
    ['a role', role('staff')],
  ])('is not overtaken by a later message to %s', async (_whom, address) => {
    const targets = crowd();
    const first = deliver([topic('feed')], saying('first'));
    await deliver([address], saying('second'));
    await first;
    expect(texts(targets.at(-1)!)).toEqual(['first', 'second']);
    expect(targets.every((target) => texts(target)[0] === 'first')).toBe(true);
  });

  it('is overtaken by a message to somebody else', () => {
    crowd();
    const other = connect('other', new FakeTarget());
    void deliver([topic('feed')], saying('first'));
    expect([deliver([user('other')], saying('second')), texts(other)]).toEqual([1, ['second']]);
  });

  it('is one frame for all of them', async () => {
    const targets = crowd();
    await deliver([all()]);
    expect(new Set(targets.map(({ frames }) => frames[0])).size).toBe(1);
  });

  it('is kept for those who are judged again, as if it were given to all in one turn', async () => {
    const targets = crowd();
    const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
    delivery.held.begin('feed', 'c999', hold);
    await deliver([topic('feed')]);
    const early = targets.at(-1)!.frames.length;
    hold.giveOut();
    expect([early, targets.at(-1)!.frames.length]).toEqual([0, 1]);
  });
});

describe('news of many who joined a topic', () => {
  it('is told to its watchers in slices, in order and once', async () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 4));
    onTestFinished(() => clock.mockRestore());
    const targets = Array.from({ length: 30 }, (_, n) => {
      pubSub.subscribe(`c${n}`, 'feed');
      watchers.watch('feed', `c${n}`);
      return connect(`c${n}`, new FakeTarget());
    });
    const users = Array.from({ length: 20 }, (_, n) => `u${n}`);
    const told = delivery.tellPresence(
      'feed',
      users.map((userId) => ({ kind: 'left', userId })),
    );
    const early = targets.filter(({ frames }) => frames.length > 0).length;
    expect(early).toBeLessThanOrEqual(4);
    expect(await told).toBe(30);
    const heard = targets.map(({ frames }) =>
      frames.map(({ payload }) => JSON.parse(String(payload)).payload.userId as string),
    );
    expect(heard).toEqual(Array(30).fill(users));
  });

  it.each([
    ['some of its watchers', { to: new Set(['c1', 'c3', 'gone']) }, ['c1']],
    ['all of its watchers but some', { except: new Set(['c1']) }, ['c0', 'c2']],
  ])('is told to %s alone', (_who, audience, expected) => {
    const targets = Array.from({ length: 4 }, (_, n) => {
      pubSub.subscribe(`c${n}`, 'feed');
      if (n < 3) watchers.watch('feed', `c${n}`);
      return connect(`c${n}`, new FakeTarget());
    });
    expect(delivery.tellPresence('feed', [{ kind: 'left', userId: 'ann' }], audience)).toBe(expected.length);
    const told = targets.flatMap(({ frames }, n) => (frames.length > 0 ? [`c${n}`] : []));
    expect(told).toEqual(expected);
  });

  it('is told to one who stops watching before, and not to one who begins after', async () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 4));
    onTestFinished(() => clock.mockRestore());
    const targets = Array.from({ length: 300 }, (_, n) => {
      pubSub.subscribe(`c${n}`, 'feed');
      if (n > 0) watchers.watch('feed', `c${n}`);
      return connect(`c${n}`, new FakeTarget());
    });
    const told = deliver([topic('feed')], { kind: 'left', userId: 'ann' });
    watchers.watch('feed', 'c0');
    watchers.unwatch('feed', 'c299');
    expect(targets[299]!.frames).toHaveLength(1);
    expect(await told).toBe(299);
    expect([targets[0]!.frames.length, targets[299]!.frames.length]).toEqual([0, 1]);
  });
});

describe('a connection that throws', () => {
  const broken = (): DeliveryTarget =>
    Object.assign(new FakeTarget(), {
      socket: {
        codec,
        send() {
          throw new Error('broken');
        },
        close: () => undefined,
      },
    });

  it('does not keep those behind it from being served', () => {
    collectLogs();
    connect('a', broken());
    const b = connect('b', new FakeTarget());
    void deliver([all()]);
    expect(b.frames).toHaveLength(1);
  });

  it('is not counted', () => {
    collectLogs();
    connect('a', broken());
    connect('b', new FakeTarget());
    expect(deliver([all()])).toBe(1);
  });

  it('is logged', () => {
    const logs = collectLogs();
    connect('a', broken());
    void deliver([all()]);
    expect(logs).toEqual([expect.stringContaining('broken')]);
  });
});

describe('an order', () => {
  it.each<[EnvelopeContent, string]>([
    [{ kind: 'disconnect', code: 'FORCED', reason: 'enough' }, 'disconnect FORCED enough'],
    [{ kind: 'subscribe', topic: 'feed' }, 'subscribe feed'],
    [{ kind: 'unsubscribe', topic: 'feed', reason: 'closed' }, 'unsubscribe feed closed'],
    [{ kind: 'revalidate' }, 'revalidate'],
  ])('is carried out by the connections behind the address: %j', (order, carriedOut) => {
    const [a, b] = [connect('a', new FakeTarget()), connect('b', new FakeTarget())];
    void deliver([user('a')], order);
    expect([a.orders, b.orders]).toEqual([[carriedOut], []]);
  });

  it.each<EnvelopeContent>([
    { kind: 'subscribe', topic: 'feed' },
    { kind: 'unsubscribe', topic: 'feed', reason: 'closed' },
  ])('is not counted where it changed nothing: $kind', (order) => {
    connect('a', Object.assign(new FakeTarget(), { subscribe: () => false, unsubscribe: () => false }));
    connect('b', new FakeTarget());
    expect(deliver([all()], order)).toBe(1);
  });

  describe('for many connections', () => {
    const COUNT = 1_000;
    const ORDER: EnvelopeContent = { kind: 'rights', roles: ['staff'] };

    /** A connection that notes what it is told, in order; orders take it a while. */
    class BusyTarget extends FakeTarget {
      readonly told: string[] = [];
      override readonly socket: ConnectionSocket = {
        codec,
        send: () => void this.told.push('message'),
        close: () => undefined,
        written: () => undefined,
        hasRoomFor: () => true,
      };
      override changeRights(): void {
        for (const end = performance.now() + 0.05; performance.now() < end;);
        this.told.push('order');
      }
    }

    const crowd = () => Array.from({ length: COUNT }, (_, n) => connect(`c${n}`, new BusyTarget()));

    it('is carried out in later turns as well, and reported when everybody has got it', async () => {
      const targets = crowd();
      const count = deliver([all()], ORDER);
      const early = targets.filter(({ told }) => told.length > 0).length;
      expect(early).toBeGreaterThan(0);
      expect(early).toBeLessThan(COUNT);
      expect(await count).toBe(COUNT);
      expect(targets.every(({ told }) => told.join() === 'order')).toBe(true);
    });

    it.each<[string, Address]>([
      ['everybody', all()],
      ['one of them', connection('c999')],
      ['a role', role('staff')],
    ])('is not overtaken by a message to %s', async (_whom, address) => {
      const targets = crowd();
      connections.set(createConnection({ id: 'c999', userId: 'c999', roles: ['staff'], createdAt: new Date(0) }));
      const count = deliver([all()], ORDER);
      const then = deliver([address]);
      await count;
      await then;
      expect(targets.at(-1)!.told).toEqual(['order', 'message']);
      expect(targets.every(({ told }) => told[0] === 'order')).toBe(true);
    });

    it('is not counted for a connection that leaves before its turn', async () => {
      const targets = crowd();
      const count = deliver([all()], ORDER);
      delivery.detach('c999');
      expect(await count).toBe(COUNT - 1);
      expect(targets.at(-1)!.told).toEqual([]);
    });
  });

  it('reaches everybody even if connections leave while it is carried out', () => {
    const leaving = ['a', 'b', 'c'].map((id) =>
      connect(id, Object.assign(new FakeTarget(), { disconnect: () => void connections.remove(id) })),
    );
    const count = deliver([all()], { kind: 'disconnect', code: 'FORCED', reason: 'enough' });
    expect([count, connections.ids().size]).toEqual([leaving.length, 0]);
  });
});
