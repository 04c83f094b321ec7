import { beforeEach, describe, expect, it } from 'vitest';
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
    expect(a.frames[0]!.text).toBe('{"type":"x","topic":"feed"}');
  });

  it('names no topic when it has more addresses', () => {
    const a = connect('a', new FakeTarget());
    pubSub.subscribe('a', 'feed');
    void deliver([topic('feed'), user('b')]);
    expect(a.frames[0]!.text).toBe('{"type":"x"}');
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
    expect(JSON.parse(a.frames[0]!.text)).toEqual({
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
      void deliver([address]);
      await count;
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
