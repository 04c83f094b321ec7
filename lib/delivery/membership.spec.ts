import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { createConnection, type RealtimeConnection } from '../core/connection/connection.js';
import { topic } from '../core/routing/address.js';
import { localReport } from '../core/routing/delivery-report.js';
import { MessageBus } from '../ports/message-bus.js';
import type { DeliveryTarget } from './delivery-target.js';
import type { HistoryStore } from '../ports/history-store.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import { TopicHold } from './held-topics.js';
import { LocalDelivery } from './local-delivery.js';
import { Membership } from './membership.js';
import { PendingSubscribers } from './pending-subscribers.js';
import { PresenceWatchers } from './presence-watchers.js';
import { TopicStreams } from './topic-streams.js';
import { NodeMeter } from './node-meter.js';

/** Writes down what is joined and left; with `pending` set, joins wait for it. */
class RecordingBus extends MessageBus {
  readonly calls: string[] = [];
  isAttached = true;
  pending: Promise<void> | undefined;
  leaving: Promise<void> | undefined;
  /** Called when a subject is joined. */
  onJoin: () => void = () => undefined;

  join(subject: string): void | Promise<void> {
    this.calls.push(`join ${subject}`);
    this.onJoin();
    return this.pending;
  }

  leave(subject: string): void | Promise<void> {
    this.calls.push(`leave ${subject}`);
    return this.leaving;
  }

  open() {}
  close() {}
  publish() {
    return localReport(0);
  }
  ask() {
    return [];
  }
}

const MESSAGE = { kind: 'message', text: '{}' } as const;
const TARGET = {} as DeliveryTarget;
const CODEC = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity, maxValues: Infinity });

function connectionOf(id: string, userId: string, roles: string[] = []): RealtimeConnection {
  return createConnection({ id, userId, roles, createdAt: new Date(0) });
}

let bus: RecordingBus;
let registry: InMemoryConnectionRegistry;
let pubSub: InMemoryPubSubManager;
let streams: TopicStreams;
let pending: PendingSubscribers;
let membership: Membership;

beforeEach(() => {
  bus = new RecordingBus();
  registry = new InMemoryConnectionRegistry();
  pubSub = new InMemoryPubSubManager();
  const delivery = new LocalDelivery(registry, pubSub, new PresenceWatchers(), { now: () => 0 }, new NodeMeter());
  streams = new TopicStreams(delivery, {} as HistoryStore);
  pending = new PendingSubscribers();
  membership = new Membership(registry, pubSub, delivery, bus, streams, pending);
});

/** Enters a topic that keeps no history. */
const enter = (id: string, name: string) => membership.enter(id, name, { stream: undefined, onStart: () => undefined });

/** The calls to the bus since the last time. */
const told = () => bus.calls.splice(0);

describe('with the first connection of an address', () => {
  it('the node joins the subjects of the user and the roles', () => {
    void membership.add(connectionOf('1', 'ann', ['admin', 'staff']), TARGET);
    expect(told()).toEqual(['join user:ann', 'join role:admin', 'join role:staff']);
  });

  it('the node joins the subject of a topic', () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    told();
    void enter('1', 'feed');
    expect(told()).toEqual(['join topic:feed']);
  });

  it('the index knows the connection before the bus can bring anything for it', () => {
    let known = 0;
    bus.onJoin = () => (known = registry.idsOfUser('ann').size);
    void membership.add(connectionOf('1', 'ann'), TARGET);
    expect(known).toBe(1);
  });

  it('the change is active once the bus says so', async () => {
    let settle!: () => void;
    bus.pending = new Promise((resolve) => (settle = resolve));
    let inForce = false;
    const added = Promise.resolve(membership.add(connectionOf('1', 'ann'), TARGET)).then(() => (inForce = true));
    await Promise.resolve();
    const early = inForce;
    settle();
    await added;
    expect([early, inForce]).toEqual([false, true]);
  });

  it('the change is active at once when the bus has nothing to wait for', () => {
    expect(membership.add(connectionOf('1', 'ann'), TARGET)).toBeUndefined();
  });

  it('a bus that cannot be joined is passed on', async () => {
    bus.pending = Promise.reject(new Error('away'));
    await expect(membership.add(connectionOf('1', 'ann'), TARGET)).rejects.toThrow('away');
  });
});

describe('with a further connection of an address', () => {
  beforeEach(() => {
    void membership.add(connectionOf('1', 'ann', ['admin']), TARGET);
    told();
  });

  it('the node joins nothing that it has joined', () => {
    void membership.add(connectionOf('2', 'ann', ['admin']), TARGET);
    expect(told()).toEqual([]);
  });

  it('the change waits for a join that is under way', async () => {
    let settle!: () => void;
    bus.pending = new Promise((resolve) => (settle = resolve));
    const first = membership.add(connectionOf('2', 'bob'), TARGET);
    const second = membership.add(connectionOf('3', 'bob'), TARGET);
    expect(second).toBeInstanceOf(Promise);
    settle();
    await Promise.all([first, second]);
    expect(told()).toEqual(['join user:bob']);
  });

  it('does not wait for a join that is over', async () => {
    bus.pending = Promise.resolve();
    await membership.add(connectionOf('2', 'bob'), TARGET);
    expect(membership.add(connectionOf('3', 'bob'), TARGET)).toBeUndefined();
  });
});

describe('with the last connection of an address', () => {
  it('the node leaves its subjects', () => {
    void membership.add(connectionOf('1', 'ann', ['admin']), TARGET);
    void enter('1', 'feed');
    told();
    membership.remove('1');
    expect(told()).toEqual(['leave topic:feed', 'leave user:ann', 'leave role:admin']);
  });

  it('the node leaves only what nobody else is there for', () => {
    void membership.add(connectionOf('1', 'ann', ['admin']), TARGET);
    void membership.add(connectionOf('2', 'bob', ['admin']), TARGET);
    told();
    membership.remove('1');
    expect(told()).toEqual(['leave user:ann']);
  });

  it('the node leaves the subject of a topic', () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    void enter('1', 'feed');
    told();
    membership.unsubscribe('1', 'feed');
    expect(told()).toEqual(['leave topic:feed']);
  });

  it('a failing leave is logged and harms nothing', async () => {
    const logs = collectLogs();
    void membership.add(connectionOf('1', 'ann'), TARGET);
    bus.leaving = Promise.reject(new Error('away'));
    membership.remove('1');
    await expect.poll(() => logs).toEqual([expect.stringContaining('away')]);
  });
});

describe('a connection that is removed', () => {
  it('had these topics', () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    void enter('1', 'one');
    void enter('1', 'two');
    expect(membership.remove('1')).toEqual(['one', 'two']);
  });

  it('leaves nothing behind', () => {
    void membership.add(connectionOf('1', 'ann', ['admin']), TARGET);
    void enter('1', 'feed');
    membership.remove('1');
    expect([registry.ids().size, pubSub.topicCount, pubSub.subscriptionCount]).toEqual([0, 0, 0]);
  });

  it('leaves the topic of its user’s own, which ends with the last that has it', () => {
    const left = vi.spyOn(streams, 'left');
    void membership.add(connectionOf('1', 'ann'), { hasPersonalTopic: true } as DeliveryTarget);
    void membership.add(connectionOf('2', 'ann'), { hasPersonalTopic: true } as DeliveryTarget);
    void membership.add(connectionOf('3', 'ann'), TARGET);
    membership.remove('1');
    membership.remove('2');
    expect(left.mock.calls).toEqual([
      ['#user:ann', '1', false],
      ['#user:ann', '2', true],
    ]);
  });

  it('may be removed again', () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    membership.remove('1');
    told();
    expect([membership.remove('1'), told()]).toEqual([[], []]);
  });
});

describe('a connection that is updated', () => {
  beforeEach(() => {
    void membership.add(connectionOf('1', 'ann', ['admin', 'staff']), TARGET);
    told();
  });

  it('joins the roles it has gained and leaves those it has lost', () => {
    void membership.update(connectionOf('1', 'ann', ['staff', 'owner']));
    expect(told()).toEqual(['leave role:admin', 'join role:owner']);
  });

  it('is found by its new roles alone', () => {
    void membership.update(connectionOf('1', 'ann', ['owner']));
    expect(['admin', 'staff', 'owner'].map((name) => registry.idsOfRole(name).size)).toEqual([0, 0, 1]);
  });

  it('leaves alone what stays the same', () => {
    void membership.update(connectionOf('1', 'ann', ['staff', 'admin']));
    expect(told()).toEqual([]);
  });
});

describe('a subscription', () => {
  beforeEach(() => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    void enter('1', 'feed');
    told();
  });

  it('is ended once', () => {
    expect([membership.unsubscribe('1', 'feed'), membership.unsubscribe('1', 'feed')]).toEqual([true, false]);
  });

  it('that never was is no reason to leave', () => {
    membership.unsubscribe('1', 'elsewhere');
    expect(told()).toEqual([]);
  });
});

describe('a join that has failed', () => {
  const failed = async (act: () => unknown) => {
    bus.pending = Promise.reject(new Error('away'));
    await expect(Promise.resolve(act())).rejects.toThrow('away');
    bus.pending = undefined;
    told();
  };

  it('is tried again for whoever comes next', async () => {
    await failed(() => membership.add(connectionOf('1', 'ann'), TARGET));
    bus.pending = Promise.resolve();
    await membership.add(connectionOf('2', 'ann'), TARGET);
    expect(told()).toEqual(['join user:ann']);
  });

  it('fails whoever comes next when it fails again', async () => {
    await failed(() => membership.add(connectionOf('1', 'ann'), TARGET));
    await failed(() => membership.add(connectionOf('2', 'ann'), TARGET));
  });

  it('fails all who wait for it', async () => {
    bus.pending = Promise.reject(new Error('away'));
    const waiting = ['1', '2'].map((id) => Promise.resolve(membership.add(connectionOf(id, 'ann'), TARGET)));
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('is tried again for a subscription that is there already', async () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    await failed(() => enter('1', 'feed'));
    void enter('1', 'feed');
    expect(told()).toEqual(['join topic:feed']);
  });

  it('is forgotten when the last member leaves', async () => {
    await failed(() => membership.add(connectionOf('1', 'ann'), TARGET));
    membership.remove('1');
    void membership.add(connectionOf('2', 'ann'), TARGET);
    expect(told()).toEqual(['leave user:ann', 'join user:ann']);
  });

  it('that was begun before the subject was left says nothing about the next', async () => {
    let fail!: (error: Error) => void;
    bus.pending = new Promise((_resolve, reject) => (fail = reject));
    const first = Promise.resolve(membership.add(connectionOf('1', 'ann'), TARGET));
    membership.remove('1');
    bus.pending = undefined;
    void membership.add(connectionOf('2', 'ann'), TARGET);
    fail(new Error('away'));
    await expect(first).rejects.toThrow('away');
    told();
    expect(membership.add(connectionOf('3', 'ann'), TARGET)).toBeUndefined();
    expect(told()).toEqual([]);
  });
});

describe('while the bus is away', () => {
  it('who comes waits for what was joined before as well', async () => {
    void membership.add(connectionOf('1', 'ann'), TARGET);
    told();
    bus.isAttached = false;
    bus.pending = Promise.resolve();
    await membership.add(connectionOf('2', 'ann'), TARGET);
    expect(told()).toEqual(['join user:ann']);
  });
});

describe('entering a topic', () => {
  const stream = {
    retention: { size: 10, ttlMs: 5_000 },
    recoverLimit: 10,
    sendLast: 0,
    pageSize: 10,
    pageBytes: 1_000,
  };
  const nothing = () => undefined;
  const kept = { stream, wish: { last: 0 }, onStart: nothing, onPage: nothing, whenReady: nothing };
  const plain = (onStart: () => void = () => undefined) => ({ stream: undefined, onStart });
  const held = () => pending.passOver({ to: [topic('feed')], except: [], content: MESSAGE }).except.length;

  beforeEach(() => void membership.add(connectionOf('1', 'ann'), TARGET));

  it('withholds publications until it has begun', async () => {
    let settle!: () => void;
    bus.pending = new Promise((resolve) => (settle = resolve));
    let heldAtStart: number | undefined;
    const entered = membership.enter(
      '1',
      'feed',
      plain(() => (heldAtStart = held())),
    );
    const before = held();
    settle();
    expect([await entered, before, heldAtStart]).toEqual([true, 1, 0]);
  });

  it('is done at once where there is nothing to wait for', () => {
    const onStart = vi.fn<() => void>();
    expect([membership.enter('1', 'feed', plain(onStart)), onStart.mock.calls.length]).toEqual([true, 1]);
  });

  it('does not begin when the connection has left meanwhile, and holds nothing back', async () => {
    let settle!: () => void;
    bus.pending = new Promise((resolve) => (settle = resolve));
    const onStart = vi.fn<() => void>();
    const entered = membership.enter('1', 'feed', plain(onStart));
    membership.unsubscribe('1', 'feed');
    settle();
    expect([await entered, onStart.mock.calls.length, held()]).toEqual([false, 0, 0]);
  });

  it('reads the position only when the topic was joined', async () => {
    const calls: string[] = [];
    vi.spyOn(streams, 'hold').mockImplementation(() => void calls.push('hold'));
    vi.spyOn(streams, 'enter').mockImplementation(async () => calls.push('enter') > 0);
    bus.onJoin = () => void calls.push('join');
    bus.pending = Promise.resolve();
    expect(await membership.enter('1', 'feed', kept)).toBe(true);
    expect(calls).toEqual(['hold', 'join', 'enter']);
  });

  it('rejects when the history cannot be read', async () => {
    vi.spyOn(streams, 'enter').mockRejectedValue(new Error('away'));
    const entered = membership.enter('1', 'feed', kept);
    await expect(entered).rejects.toThrow('away');
  });

  it('of its user’s own comes with the connection: withheld before it is reachable, begun behind the joins', async () => {
    const calls: string[] = [];
    vi.spyOn(streams, 'hold').mockImplementation((name) => void calls.push(`hold ${name} ${registry.ids().size}`));
    vi.spyOn(streams, 'enter').mockImplementation(async (name) => calls.push(`enter ${name}`) > 0);
    bus.pending = Promise.resolve();
    await membership.add(connectionOf('2', 'bob'), TARGET, kept);
    expect(calls).toEqual(['hold #user:bob 1', 'enter #user:bob']);
  });
});

describe('while a message to many is given to them in slices', () => {
  const COUNT = 300;

  /** The first 300 connections are in a topic that something was just published to; the last is not in it. */
  function publishing() {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 4));
    onTestFinished(() => clock.mockRestore());
    const delivery = new LocalDelivery(registry, pubSub, new PresenceWatchers(), { now: () => 0 }, new NodeMeter());
    membership = new Membership(registry, pubSub, delivery, bus, streams, pending);
    const sent = Array.from({ length: COUNT + 1 }, (_, n) => {
      const frames: unknown[] = [];
      const socket = { codec: CODEC, send: (frame: unknown) => void frames.push(frame), close: () => undefined };
      void membership.add(connectionOf(`${n}`, `${n}`), { socket } as unknown as DeliveryTarget);
      if (n < COUNT) void enter(`${n}`, 'feed');
      return frames;
    });
    const publish = () => delivery.deliver({ to: [topic('feed')], except: [], content: MESSAGE });
    return { sent, count: publish(), publish, delivery };
  }

  it('one who leaves the topic has got it before', async () => {
    const { sent, count } = publishing();
    membership.unsubscribe('299', 'feed');
    const early = sent[299]!.length;
    expect([early, await count, sent[299]!.length]).toEqual([1, COUNT, 1]);
  });

  it('one who leaves the topic and comes back gets it once', async () => {
    const { sent, count } = publishing();
    membership.unsubscribe('299', 'feed');
    void enter('299', 'feed');
    expect([await count, sent[299]!.length]).toEqual([COUNT, 1]);
  });

  it('one who enters the topic does not get it, but the next', async () => {
    const { sent, count, publish } = publishing();
    void enter('300', 'feed');
    expect([await count, sent[300]!.length]).toEqual([COUNT, 0]);
    expect([await publish(), sent[300]!.length]).toEqual([COUNT + 1, 1]);
  });

  it('one who is judged again from then on has got it before, and one whose judgement ends keeps it', async () => {
    const { sent, count, publish, delivery } = publishing();
    const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
    membership.hold('299', 'feed', hold);
    expect(sent[299]).toHaveLength(1);
    await count;
    const next = publish();
    membership.endHold('299', 'feed');
    expect(sent[299]).toHaveLength(1);
    hold.giveOut();
    expect([await next, sent[299]!.length, delivery.held.isEmpty]).toEqual([COUNT, 2, true]);
  });

  it('one who goes does not get it', async () => {
    const { sent, count } = publishing();
    membership.remove('299');
    expect([await count, sent[299]!.length]).toEqual([COUNT - 1, 0]);
  });
});

describe('while an order ends many connections in slices', () => {
  /** The last of 300 connections, whose end still waits. */
  function ending() {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (now += 4));
    onTestFinished(() => clock.mockRestore());
    const delivery = new LocalDelivery(registry, pubSub, new PresenceWatchers(), { now: () => 0 }, new NodeMeter());
    membership = new Membership(registry, pubSub, delivery, bus, streams, pending);
    for (let n = 0; n < 300; n++) {
      const target = { disconnect: () => void membership.remove(`${n}`) } as unknown as DeliveryTarget;
      void membership.add(connectionOf(`${n}`, `${n}`), target);
    }
    void delivery.deliver({
      to: [{ kind: 'all' }],
      except: [],
      content: { kind: 'disconnect', code: 'DISCONNECTED', reason: '' },
    });
    expect(registry.get('299')).toBeDefined();
    return delivery;
  }

  it('one that enters a topic is ended first, and leaves no subscription behind', () => {
    ending();
    expect(enter('299', 'feed')).toBe(false);
    expect([pubSub.isSubscribed('299', 'feed'), registry.get('299')]).toEqual([false, undefined]);
  });

  it('one whose token is renewed is ended first, and is not known again', () => {
    ending();
    void membership.update(connectionOf('299', '299', ['admin']));
    expect([registry.get('299'), registry.idsOfRole('admin').size]).toEqual([undefined, 0]);
  });

  it('one that is judged again is ended first, and nothing is held for it', () => {
    const delivery = ending();
    membership.hold('299', 'feed', new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined));
    expect([delivery.held.isEmpty, registry.get('299')]).toEqual([true, undefined]);
  });
});
