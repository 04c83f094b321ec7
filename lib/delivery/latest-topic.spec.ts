import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { JsonCodec } from '../codecs/json/json-codec.js';
import { createConnection } from '../core/connection/connection.js';
import type { StreamPosition } from '../core/history/history.js';
import { LatestReaders } from '../core/pace/latest-readers.js';
import { all, connection, role, topic, type Address } from '../core/routing/address.js';
import type { MessageContent } from '../core/routing/envelope.js';
import type { Frame } from '../ports/frame.js';
import type { DeliveryTarget } from './delivery-target.js';
import { TopicHold } from './held-topics.js';
import { LocalDelivery } from './local-delivery.js';
import { NodeMeter } from './node-meter.js';
import type { PaceEntry } from './paced-node.js';
import { PresenceWatchers } from './presence-watchers.js';

const codec = new JsonCodec({ maxDepth: Infinity, maxKeys: Infinity, maxValues: Infinity });

/** A connection whose socket can be blocked. */
class Reader {
  readonly got: string[] = [];
  /** What it has got, and the gaps of which it was told, in order. */
  readonly told: string[] = [];
  readonly log: string[] = [];
  #isBlocked = false;
  #drain: (() => void) | undefined;
  readonly socket = {
    codec,
    send: ({ payload }: Frame) => {
      const value = JSON.parse(payload as string).payload as string;
      this.got.push(value);
      this.told.push(value);
    },
    close: () => undefined,
    written: () => (this.#isBlocked ? new Promise<void>((resolve) => (this.#drain = resolve)) : undefined),
    hasRoomFor: () => !this.#isBlocked,
  };

  constructor(
    readonly id: string,
    private readonly stage: Stage,
  ) {}

  block(): void {
    this.#isBlocked = true;
  }

  async drain(): Promise<void> {
    this.#isBlocked = false;
    this.#drain?.();
    await Promise.resolve();
    await Promise.resolve();
  }

  disconnect(code: string): void {
    this.log.push(code);
    this.stage.leave(this.id);
  }

  missed(_name: string, { offset }: StreamPosition): void {
    this.told.push(`gap ${offset}`);
  }

  leftOut(name: string, count: number): void {
    this.log.push(`left out ${count} of ${name}`);
  }
}

class Stage {
  readonly meter = new NodeMeter();
  readonly registry = new InMemoryConnectionRegistry();
  readonly pubSub = new InMemoryPubSubManager();
  readonly delivery = new LocalDelivery(
    this.registry,
    this.pubSub,
    new PresenceWatchers(),
    { now: () => 0 },
    this.meter,
  );

  enter(id: string, pace: Partial<PaceEntry> = {}, roles: string[] = []): Reader {
    const reader = new Reader(id, this);
    this.registry.set(createConnection({ id, userId: id, roles, createdAt: new Date(0) }));
    this.delivery.attach(id, reader as unknown as DeliveryTarget);
    this.pubSub.subscribe(id, 'map');
    this.delivery.paces.enter('map', id, { slow: 'latest', maxBytes: 1_000_000, ...pace });
    return reader;
  }

  leave(id: string): void {
    this.pubSub.unsubscribe(id, 'map');
    this.delivery.paces.left('map', id);
    this.delivery.detach(id);
  }

  /** Publishes a payload such as `a1` with the key `a`, and tells what the report would say. */
  publish(payload: string, more: Partial<MessageContent> = {}, except: Address[] = []) {
    const text = `{"type":"moved","payload":"${payload}"}`;
    return this.deliver({ kind: 'message', text, key: payload[0]!, ...more }, except);
  }

  deliver(content: MessageContent, except: Address[] = []) {
    let dropped = 0;
    const reached = this.delivery.deliver({ to: [topic('map')], except, content }, (count) => void (dropped = count));
    return { reached, dropped };
  }
}

let stage: Stage;
beforeEach(() => void (stage = new Stage()));

describe('a topic that delivers the latest values', () => {
  it('gives each reader the same frame', () => {
    const frames: Frame[] = [];
    for (const id of ['a', 'b']) {
      const reader = stage.enter(id);
      reader.socket.send = (frame) => void frames.push(frame);
    }
    stage.publish('a1');
    expect(frames[0]).toBe(frames[1]);
  });

  it('replaces values by their key while a socket is blocked', async () => {
    const ann = stage.enter('ann');
    ann.block();
    ['a1', 'b1', 'a2', 'b2', 'a3'].forEach((payload) => stage.publish(payload));
    await ann.drain();
    expect(ann.got).toEqual(['b2', 'a3']);
  });

  it('replaces nothing of one type by another type where messages have no key', async () => {
    const ann = stage.enter('ann');
    ann.block();
    const publish = (type: string, payload: string) =>
      stage.deliver({ kind: 'message', text: `{"type":"${type}","payload":"${payload}"}` });
    publish('price', '1');
    publish('volume', '2');
    publish('price', '3');
    await ann.drain();
    expect(ann.got).toEqual(['2', '3']);
  });

  it('reports all readers as recipients, also those for whom it waits', () => {
    stage.enter('ann').block();
    stage.enter('bob');
    expect(stage.publish('a1')).toEqual({ reached: 2, dropped: 0 });
  });

  it('counts what was written as sent, and what was replaced', async () => {
    const ann = stage.enter('ann');
    ann.block();
    ['a1', 'a2', 'b1'].forEach((payload) => stage.publish(payload));
    await ann.drain();
    const sent = stage.meter.messagesSent.samples.map(({ value }) => value);
    expect([sent, stage.meter.replaced]).toEqual([[2], 1]);
  });

  it('keeps nothing of a reader that has left', async () => {
    const ann = stage.enter('ann');
    ann.block();
    stage.publish('a1');
    stage.leave('ann');
    await ann.drain();
    expect([ann.got, stage.delivery.paces.isEmpty]).toEqual([[], true]);
  });

  it('serves all others when one socket fails', () => {
    collectLogs();
    const broken = stage.enter('ann');
    broken.socket.send = () => {
      throw new Error('broken for the test');
    };
    const bob = stage.enter('bob');
    stage.publish('a1');
    expect([bob.got, stage.meter.dropped]).toEqual([['a1'], 1]);
  });
});

describe('a message that is not for all readers', () => {
  it.each([
    ['a connection', connection('ann')],
    ['a role', role('owner')],
  ])('is withheld from %s', (_what, except) => {
    const ann = stage.enter('ann', {}, ['owner']);
    const bob = stage.enter('bob');
    const { reached } = stage.publish('a1', {}, [except]);
    expect([reached, ann.got, bob.got]).toEqual([1, [], ['a1']]);
  });

  it('does not replace what is for those that do not get it', async () => {
    const ann = stage.enter('ann');
    ann.block();
    stage.publish('a1');
    stage.publish('a2', {}, [connection('ann')]);
    await ann.drain();
    expect(ann.got).toEqual(['a1']);
  });

  it('replaces earlier ones like any other when the exception is on another node', async () => {
    const ann = stage.enter('ann');
    ann.block();
    stage.publish('a1', {}, [connection('elsewhere')]);
    stage.publish('a2');
    await ann.drain();
    expect(ann.got).toEqual(['a2']);
  });
});

describe('a message of a history, which readers that catch up get from there', () => {
  const position = { epoch: 'e', offset: 1 };

  it('replaces earlier ones also when other readers are catching up than before', async () => {
    const ann = stage.enter('ann');
    const [bob, cem] = [stage.enter('bob'), stage.enter('cem')];
    ann.block();
    stage.deliver({ kind: 'message', text: '{"type":"moved","payload":"1"}', position }, [connection('bob')]);
    stage.deliver({ kind: 'message', text: '{"type":"moved","payload":"2"}', position }, [connection('cem')]);
    await ann.drain();
    expect([ann.got, bob.got, cem.got]).toEqual([['2'], ['2'], ['1']]);
  });

  it('costs each of them once, not once for each reader', () => {
    let reads = 0;
    const counted = (id: string): Address => ({
      kind: 'connection',
      get id() {
        reads += 1;
        return id;
      },
    });
    for (let n = 0; n < 200; n++) stage.enter(`${n}`);
    const behind = Array.from({ length: 100 }, (_, n) => counted(`${n}`));
    const { reached } = stage.publish('a1', { position }, behind);
    expect(reached).toBe(100);
    expect(reads).toBeLessThanOrEqual(4 * behind.length);
  });
});

describe('a reader whose rights are judged again', () => {
  const judge = (id: string) => {
    const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
    stage.delivery.held.begin('map', id, hold);
    return hold;
  };

  it('gets the latest values when it stays', () => {
    const ann = stage.enter('ann');
    const hold = judge('ann');
    ['a1', 'a2', 'b1'].forEach((payload) => stage.publish(payload));
    const during = [...ann.got];
    stage.delivery.held.end('map', 'ann');
    hold.giveOut();
    expect([during, ann.got]).toEqual([[], ['a2', 'b1']]);
  });

  it('gets nothing of what came meanwhile when its subscription ends', () => {
    const ann = stage.enter('ann');
    const hold = judge('ann');
    stage.publish('a1');
    stage.delivery.held.end('map', 'ann');
    hold.drop();
    stage.leave('ann');
    expect(ann.got).toEqual([]);
  });

  it('gets nothing of it before its connection is closed either', () => {
    const ann = stage.enter('ann');
    judge('ann');
    stage.publish('a1');
    stage.delivery.paces.settle(['map'], 'ann');
    expect(ann.got).toEqual([]);
  });
});

describe('a volatile message', () => {
  it('is left out for those that cannot take it, and replaces nothing', async () => {
    const ann = stage.enter('ann');
    const bob = stage.enter('bob');
    ann.block();
    stage.publish('a1');
    const report = stage.publish('a2', { volatile: true });
    await ann.drain();
    expect([report, ann.got, bob.got]).toEqual([{ reached: 1, dropped: 1 }, ['a1'], ['a1', 'a2']]);
    expect(stage.meter.leftOut).toBe(1);
  });

  it('is left out while a reader is judged again', () => {
    const ann = stage.enter('ann');
    stage.delivery.held.begin('map', 'ann', new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined));
    expect([stage.publish('a1', { volatile: true }), ann.got]).toEqual([{ reached: 0, dropped: 1 }, []]);
  });
});

describe('with an interval', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('a reader gets the first value at once and then the last of each key, at the rate of the topic', () => {
    const ann = stage.enter('ann', { maxRateHz: 10 });
    ['a1', 'a2', 'b1', 'a3'].forEach((payload) => stage.publish(payload));
    const first = [...ann.got];
    vi.advanceTimersByTime(99);
    const early = ann.got.length;
    vi.advanceTimersByTime(1);
    expect([first, early, ann.got]).toEqual([['a1'], 1, ['a1', 'b1', 'a3']]);
  });

  it('a reader whose socket drains late in the interval of another waits for all of its own', async () => {
    const ann = stage.enter('ann', { maxRateHz: 10 });
    const bob = stage.enter('bob', { maxRateHz: 10 });
    bob.block();
    stage.publish('a1');
    await vi.advanceTimersByTimeAsync(90);
    await bob.drain();
    stage.publish('a2');
    await vi.advanceTimersByTimeAsync(10);
    const early = [ann.got, bob.got].map((got) => got.join(' '));
    await vi.advanceTimersByTimeAsync(89);
    const before = bob.got.join(' ');
    await vi.advanceTimersByTimeAsync(1);
    expect([early, before, bob.got.join(' ')]).toEqual([['a1 a2', 'a1'], 'a1', 'a1 a2']);
  });

  it('a client does not get more than the topic gives by changing to a rate whose interval is nearly over for others', async () => {
    const ann = stage.enter('ann', { maxRateHz: 10, askedHz: 8 });
    stage.publish('a1');
    await vi.advanceTimersByTimeAsync(60);
    const flapper = stage.enter('flapper');
    stage.publish('a2');
    await vi.advanceTimersByTimeAsync(60);
    stage.delivery.paces.enter('map', 'flapper', { slow: 'latest', maxBytes: 1_000_000, askedHz: 8 });
    stage.publish('a3');
    await vi.advanceTimersByTimeAsync(39);
    const early = [ann.got, flapper.got].map((got) => got.join(' '));
    await vi.advanceTimersByTimeAsync(1);
    expect([early, flapper.got.join(' ')]).toEqual([['a1 a3', 'a2'], 'a2 a3']);
  });

  it('readers of one rate share one timer, which is gone when nobody waits', () => {
    for (const id of ['ann', 'bob', 'cem']) stage.enter(id, { maxRateHz: 10 });
    stage.publish('a1');
    const during = vi.getTimerCount();
    vi.advanceTimersByTime(100);
    expect([during, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('its end costs nothing for the readers that are not behind', () => {
    stage.enter('ann', { askedHz: 10 });
    for (let n = 0; n < 20; n++) stage.enter(`${n}`);
    ['a1', 'a2'].forEach((payload) => stage.publish(payload));
    const served = vi.spyOn(LatestReaders.prototype, 'serve');
    vi.advanceTimersByTime(100);
    expect(served.mock.calls.map(([id]) => id)).toEqual(['ann']);
    served.mockRestore();
  });

  it('its end gives what waits to readers that are many', async () => {
    const readers = Array.from({ length: 300 }, (_, n) => stage.enter(`${n}`, { askedHz: 10 }));
    ['a1', 'a2', 'a3'].forEach((payload) => stage.publish(payload));
    await vi.advanceTimersByTimeAsync(200);
    expect(readers.every(({ got }) => got.join(' ') === 'a1 a3')).toBe(true);
  });

  it('readers of ever other rates have few timers', () => {
    for (let n = 0; n < 200; n++) stage.enter(`${n}`, { askedHz: 1_000 / (n * 50 + 1) });
    stage.publish('a1');
    expect(vi.getTimerCount()).toBeLessThanOrEqual(30);
  });

  it('no timer is left when the readers leave', () => {
    for (const [id, askedHz] of [
      ['ann', 10],
      ['bob', 2],
    ] as const)
      stage.enter(id, { askedHz });
    stage.publish('a1');
    for (const id of ['ann', 'bob']) stage.leave(id);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('a client that asked for less gets less, and one that asked for more does not get more', () => {
    const [ann, bob] = [
      stage.enter('ann', { maxRateHz: 10, askedHz: 2 }),
      stage.enter('bob', { maxRateHz: 10, askedHz: 50 }),
    ];
    for (let n = 0; n < 100; n++) {
      stage.publish(`a${n}`);
      vi.advanceTimersByTime(10);
    }
    expect([ann.got.length, bob.got.length]).toEqual([3, 11]);
  });

  it('what waits is sent at once when the connection ends in good order', () => {
    const ann = stage.enter('ann', { maxRateHz: 1 });
    ['a1', 'a2'].forEach((payload) => stage.publish(payload));
    stage.delivery.paces.settle(['map'], 'ann');
    expect(ann.got).toEqual(['a1', 'a2']);
  });

  it('a volatile message counts as an update, and is left out within the interval', () => {
    const ann = stage.enter('ann', { maxRateHz: 1 });
    const reports = ['a1', 'a2'].map((payload) => stage.publish(payload, { volatile: true }).reached);
    expect([reports, ann.got]).toEqual([[1, 0], ['a1']]);
  });

  it('values beyond the bound are sent before it is over, and close nobody that takes them', () => {
    const ann = stage.enter('ann', { maxRateHz: 1, maxBytes: 2_000 });
    for (let n = 0; n < 26; n++) stage.publish(`${String.fromCharCode(97 + n)}1`);
    expect(ann.log).toEqual([]);
    expect(ann.got.length).toBeGreaterThan(10);
  });
});

describe('a reader for which more values wait than may', () => {
  it('is closed as a slow consumer, and nobody else', () => {
    const ann = stage.enter('ann', { maxBytes: 2_000 });
    const bob = stage.enter('bob', { maxBytes: 2_000 });
    ann.block();
    for (let n = 0; n < 26; n++) stage.publish(`${String.fromCharCode(97 + n)}1`);
    expect([ann.log, bob.log, bob.got.length, stage.meter.slowCloses]).toEqual([['SLOW'], [], 26, 1]);
  });

  it('is not closed while the values are few, however often they change', () => {
    const ann = stage.enter('ann', { maxBytes: 2_000 });
    ann.block();
    for (let n = 0; n < 1_000; n++) stage.publish(`${'abc'[n % 3]}${n}`);
    expect(ann.log).toEqual([]);
  });

  it('is closed when all topics together keep more than half of the send budget', () => {
    stage.meter.sendQueue = { total: 0, maxBytes: 4_000 };
    const ann = stage.enter('ann');
    ann.block();
    for (let n = 0; n < 26; n++) stage.publish(`${String.fromCharCode(97 + n)}1`);
    expect(ann.log).toEqual(['SLOW']);
  });
});

describe('a reader that enters again a topic that keeps a history', () => {
  const again = (recovers: boolean) =>
    stage.delivery.paces.enter('map', 'ann', { slow: 'latest', maxBytes: 1_000_000 }, recovers);

  it('gets what waits for the end of its interval before it is told of a position', () => {
    const ann = stage.enter('ann', { maxRateHz: 1 });
    ['a1', 'a2', 'b1'].forEach((payload) => stage.publish(payload));
    again(false);
    stage.delivery.paces.flush('map', 'ann');
    expect(ann.got).toEqual(['a1', 'a2', 'b1']);
  });

  it('gets what waits for its socket before it is told of a position, and nothing of it twice', async () => {
    const ann = stage.enter('ann');
    ann.block();
    ['a1', 'a2', 'b1'].forEach((payload) => stage.publish(payload));
    again(false);
    stage.delivery.paces.flush('map', 'ann');
    const flushed = [...ann.got];
    stage.publish('c1');
    await ann.drain();
    expect([flushed, ann.got]).toEqual([
      ['a2', 'b1'],
      ['a2', 'b1', 'c1'],
    ]);
  });

  it('gets what waits from the history alone when it recovers', async () => {
    const ann = stage.enter('ann');
    ann.block();
    ['a1', 'a2', 'b1'].forEach((payload) => stage.publish(payload));
    again(true);
    stage.delivery.paces.flush('map', 'ann');
    await ann.drain();
    expect(ann.got).toEqual([]);
  });
});

describe('after a gap in the history', () => {
  const lost = (offset: number, except: Address[] = []) => stage.delivery.missed('map', { epoch: 'e', offset }, except);

  it('a reader whose socket was blocked gets nothing that is older than the report', async () => {
    const ann = stage.enter('ann');
    ann.block();
    ['a1', 'b1'].forEach((payload) => stage.publish(payload));
    lost(5);
    stage.publish('c1');
    await ann.drain();
    expect([ann.told, stage.meter.dropped]).toEqual([['gap 5', 'c1'], 1]);
  });

  it('a reader whose rights are judged again gets the report before what is newer', () => {
    const ann = stage.enter('ann');
    const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
    stage.delivery.held.begin('map', 'ann', hold);
    stage.publish('a1');
    lost(5);
    stage.publish('b1');
    stage.delivery.held.end('map', 'ann');
    hold.giveOut();
    expect(ann.told).toEqual(['gap 5', 'b1']);
  });

  it('readers that can take it are told at once, but for those that catch up', () => {
    const [ann, bob] = [stage.enter('ann'), stage.enter('bob')];
    lost(5, [connection('bob')]);
    expect([ann.told, bob.told]).toEqual([['gap 5'], []]);
  });

  it('a later gap replaces one that waits', async () => {
    const ann = stage.enter('ann');
    ann.block();
    [5, 9].forEach((offset) => lost(offset));
    await ann.drain();
    expect(ann.told).toEqual(['gap 9']);
  });
});

describe('when all topics together keep more than half of the send budget', () => {
  it('only those that are furthest behind are closed while that is enough', () => {
    const [ann, bob] = [stage.enter('ann'), stage.enter('bob')];
    ann.block();
    for (let n = 0; n < 5; n++) stage.publish(`${String.fromCharCode(97 + n)}1`);
    bob.block();
    stage.publish('y1');
    stage.meter.sendQueue = { total: 0, maxBytes: 2_000 };
    stage.publish('z1');
    expect([ann.log, bob.log]).toEqual([['SLOW'], []]);
  });
});

describe('a reader that is still to get a message to all', () => {
  let ann: Reader;

  /** Sends a message to many connections, of which the reader is the last; the first takes so long that the others wait. */
  function messageToAll(prepare: () => void): void {
    const crowd = Array.from({ length: 300 }, (_, n) => new Reader(`${n}`, stage));
    for (const each of crowd) {
      stage.registry.set(createConnection({ id: each.id, userId: each.id, createdAt: new Date(0) }));
      stage.delivery.attach(each.id, each as unknown as DeliveryTarget);
    }
    crowd[0]!.socket.send = () => {
      for (const end = performance.now() + 20; performance.now() < end;);
    };
    ann = stage.enter('ann', { maxRateHz: 1, maxBytes: 2_000 });
    prepare();
    const text = '{"type":"moved","payload":"all"}';
    void stage.delivery.deliver({ to: [all()], except: [], content: { kind: 'message', text } });
    expect(ann.got).not.toContain('all');
  }

  it('gets it before the values that have waited for its socket', async () => {
    messageToAll(() => {
      ann.block();
      stage.publish('a1');
    });
    await ann.drain();
    expect(ann.got).toEqual(['all', 'a1']);
  });

  it('gets it before values that come before the interval is over, because there are too many', () => {
    messageToAll(() => ['a1', 'b1', 'c1', 'd1', 'e1', 'f1'].forEach((payload) => stage.publish(payload)));
    ['g1', 'h1', 'i1', 'j1'].forEach((payload) => stage.publish(payload));
    expect(ann.got.slice(0, 3)).toEqual(['a1', 'all', 'b1']);
  });
});

describe('for many readers, when more waits than may', () => {
  const MANY = 1_000;
  const busy = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  };

  /** Readers that wait for the end of their interval, with as many values as may just wait for them. */
  async function waiting(): Promise<Reader[]> {
    const readers = Array.from({ length: MANY }, (_, n) => stage.enter(`${n}`, { askedHz: 0.1, maxBytes: 2_000 }));
    for (const { socket } of readers) {
      const { send } = socket;
      socket.send = (frame) => {
        busy(0.01);
        send(frame);
      };
    }
    stage.publish('a1');
    await expect.poll(() => readers.every(({ got }) => got.length === 1)).toBe(true);
    for (const payload of ['b1', 'c1', 'd1', 'e1', 'f1', 'g1']) stage.publish(payload);
    expect(readers.filter(({ got }) => got.length > 1)).toEqual([]);
    return readers;
  }

  it('they are served in slices, and a newer value replaces one that waits for its slice', async () => {
    const readers = await waiting();
    stage.publish('h1');
    const early = readers.filter(({ got }) => got.length > 1).length;
    stage.publish('b2');
    await expect.poll(() => readers.every(({ got }) => got.length > 6)).toBe(true);
    expect(early).toBeLessThan(MANY);
    const late = readers.filter(({ got }) => got.join(' ') === 'a1 c1 d1 e1 f1 g1 h1 b2').length;
    const soon = readers.filter(({ got }) => got.join(' ') === 'a1 b1 c1 d1 e1 f1 g1 h1').length;
    expect([late + soon, late >= MANY - early]).toEqual([MANY, true]);
  });

  it('twin: they are served at once when twice as much waits, so that memory stays bounded', async () => {
    const readers = await waiting();
    for (const payload of 'hijklmnop') stage.publish(`${payload}1`);
    expect(readers.every(({ got }) => got.length > 10)).toBe(true);
  });

  it.each([
    ['in one topic', 2_000, Infinity],
    ['in all topics together', 1_000_000, 4_000],
  ])('those that take nothing are closed in slices: %s', async (_where, maxBytes, total) => {
    stage.meter.sendQueue = { total: 0, maxBytes: total };
    const readers = Array.from({ length: MANY }, (_, n) => stage.enter(`${n}`, { maxBytes }));
    for (const reader of readers) {
      reader.block();
      const disconnect = reader.disconnect.bind(reader);
      reader.disconnect = (code) => {
        busy(0.01);
        disconnect(code);
      };
    }
    for (const payload of 'abcdefg') stage.publish(`${payload}1`);
    const early = readers.filter(({ log }) => log.length > 0).length;
    await expect.poll(() => readers.every(({ log }) => log.join() === 'SLOW')).toBe(true);
    expect(early).toBeLessThan(MANY);
    expect([stage.meter.slowCloses, stage.delivery.paces.isEmpty]).toEqual([MANY, true]);
  });

  it('a reader that takes values before its slice stays', async () => {
    const readers = Array.from({ length: MANY }, (_, n) => stage.enter(`${n}`, { maxBytes: 2_000 }));
    for (const reader of readers) reader.block();
    const last = readers.at(-1)!;
    const first = readers[0]!;
    const disconnect = first.disconnect.bind(first);
    first.disconnect = (code) => {
      busy(20);
      disconnect(code);
    };
    for (const payload of 'abcdefg') stage.publish(`${payload}1`);
    await last.drain();
    await expect.poll(() => readers.filter(({ log }) => log.length > 0).length).toBe(MANY - 1);
    expect([last.log, last.got.join(' ')]).toEqual([[], 'a1 b1 c1 d1 e1 f1 g1']);
  });
});

describe('for many readers', () => {
  it('what changes while it is handed out reaches each of them in order, and the last of each key always', async () => {
    const readers = Array.from({ length: 2_000 }, (_, n) => stage.enter(`${n}`));
    for (const reader of readers) {
      const { send } = reader.socket;
      reader.socket.send = (frame) => {
        for (const end = performance.now() + 0.01; performance.now() < end;);
        send(frame);
      };
    }
    const report = stage.publish('a1');
    const early = readers.filter(({ got }) => got.length > 0).length;
    ['a2', 'b1', 'a3'].forEach((payload) => stage.publish(payload));
    await expect.poll(() => readers.every(({ got }) => got.at(-1) === 'a3')).toBe(true);
    expect(report.reached).toBe(2_000);
    expect(early).toBeLessThan(2_000);
    const sound = ['a1 a2 b1 a3', 'a1 b1 a3', 'b1 a3', 'a2 b1 a3'];
    expect(readers.filter(({ got }) => !sound.includes(got.join(' '))).map(({ got }) => got)).toEqual([]);
  });

  it('what has waited for few of them is handed out in later turns as well, when it is much', async () => {
    const readers = Array.from({ length: 50 }, (_, n) => stage.enter(`${n}`, { maxRateHz: 100 }));
    for (const reader of readers) {
      const { send } = reader.socket;
      reader.socket.send = (frame) => {
        for (const end = performance.now() + 0.02; performance.now() < end;);
        send(frame);
      };
    }
    for (let n = 0; n <= 100; n++) stage.publish(`a${n}`, { key: `${n}` });
    const served = () => readers.filter(({ got }) => got.at(-1) === 'a100').length;
    await expect.poll(served, { interval: 0 }).toBeGreaterThan(0);
    const early = served();
    await expect.poll(served).toBe(50);
    expect(early).toBeLessThan(50);
    expect(readers.every(({ got }) => got.length === 101)).toBe(true);
  });

  it('a volatile message is reported when all of them were asked', async () => {
    const readers = Array.from({ length: 300 }, (_, n) => stage.enter(`${n}`));
    readers[7]!.block();
    const { reached } = stage.publish('a1', { volatile: true });
    expect([await reached, readers.filter(({ got }) => got.length === 1).length]).toEqual([299, 299]);
  });
});

describe('a topic that drops', () => {
  const enter = (id: string) => stage.enter(id, { slow: 'drop' });

  it('leaves out what a reader cannot take, and tells it the number before the next message', async () => {
    const ann = enter('ann');
    const bob = enter('bob');
    stage.publish('a1');
    ann.block();
    const report = stage.publish('a2');
    stage.publish('a3');
    await ann.drain();
    const told = [...ann.log];
    stage.publish('a4');
    expect([told, ann.got, bob.got.length]).toEqual([['left out 2 of map'], ['a1', 'a4'], 4]);
    expect([report, stage.meter.leftOut]).toEqual([{ reached: 1, dropped: 1 }, 2]);
  });

  it('leaves out a volatile message without telling, for those for which anything waits', async () => {
    const ann = enter('ann');
    const bob = enter('bob');
    // Something waits, but a message that counts would still fit.
    ann.block();
    ann.socket.hasRoomFor = () => true;
    const report = stage.publish('a1', { volatile: true });
    stage.publish('a2');
    await ann.drain();
    expect([report, ann.got, bob.got]).toEqual([{ reached: 1, dropped: 1 }, ['a2'], ['a1', 'a2']]);
    expect([ann.log, stage.meter.leftOut]).toEqual([[], 1]);
  });

  it('does not count a volatile message among those that it reports', async () => {
    const ann = enter('ann');
    ann.block();
    stage.publish('a1');
    stage.publish('a2', { volatile: true });
    await ann.drain();
    stage.publish('a3', { volatile: true });
    expect([ann.log, ann.got, stage.meter.leftOut]).toEqual([['left out 1 of map'], ['a3'], 2]);
  });

  it('lets no volatile message overtake the report', async () => {
    const ann = enter('ann');
    ann.block();
    stage.publish('a1');
    const drained = ann.drain();
    // The socket is empty, but the reader is told only later in this turn.
    const { dropped } = stage.publish('a2', { volatile: true });
    await drained;
    expect([dropped, ann.log, ann.got]).toEqual([1, ['left out 1 of map'], []]);
  });

  it('tells nothing to a reader that has left', async () => {
    const ann = enter('ann');
    ann.block();
    stage.publish('a1');
    stage.leave('ann');
    await ann.drain();
    expect([ann.log, stage.delivery.paces.isEmpty]).toEqual([[], true]);
  });

  it('leaves out what was held while a reader was judged again, if it cannot take it then', async () => {
    const ann = enter('ann');
    const hold = new TopicHold({ used: 0, maxBytes: 1_000 }, () => undefined);
    stage.delivery.held.begin('map', 'ann', hold);
    stage.publish('a1');
    ann.block();
    stage.delivery.held.end('map', 'ann');
    hold.giveOut();
    await ann.drain();
    expect([ann.got, ann.log]).toEqual([[], ['left out 1 of map']]);
  });
});

describe('a volatile message to a topic that delivers everything', () => {
  it('is left out for those that cannot take it, who are not told', async () => {
    const ann = new Reader('ann', stage);
    stage.registry.set(createConnection({ id: 'ann', userId: 'ann', createdAt: new Date(0) }));
    stage.delivery.attach('ann', ann as unknown as DeliveryTarget);
    stage.pubSub.subscribe('ann', 'map');
    const reports = [stage.publish('a1', { volatile: true })];
    ann.block();
    reports.push(stage.publish('a2', { volatile: true }));
    await ann.drain();
    expect([reports, ann.got, ann.log]).toEqual([
      [
        { reached: 1, dropped: 0 },
        { reached: 0, dropped: 1 },
      ],
      ['a1'],
      [],
    ]);
  });
});
