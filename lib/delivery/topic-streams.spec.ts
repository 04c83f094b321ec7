import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { barePromise } from '../../test/helpers/bare-promise.js';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { topic, user } from '../core/routing/address.js';
import { createConnection } from '../core/connection/connection.js';
import type { HistoryPage, HistoryRange, StreamPosition } from '../core/history/history.js';
import { PublicationStream } from '../core/history/publication-stream.js';
import type { Frame } from '../ports/frame.js';
import { HistoryStore } from '../ports/history-store.js';
import { EnvelopeRouter } from './envelope-router.js';
import { LocalDelivery } from './local-delivery.js';
import { PendingSubscribers } from './pending-subscribers.js';
import { PresenceWatchers } from './presence-watchers.js';
import type { FramedPage, StreamEntry } from './topic-stream.js';
import type { PublishedStreams } from './published-streams.js';
import { TopicStreams } from './topic-streams.js';
import { NodeMeter } from './node-meter.js';
import { RealtimeTracing } from '../ports/realtime-tracing.js';

const RETENTION = { size: 100, ttlMs: 3_600_000 };
const SETTINGS = { retention: RETENTION, recoverLimit: 100, sendLast: 0, pageSize: 10, pageBytes: 1_000 };

/** An entry of a connection that takes each page at once. */
const entryOf = (onStart: StreamEntry['onStart'] = () => undefined, recover?: StreamPosition): StreamEntry => ({
  wish: { recover, last: 0 },
  onStart,
  onPage: () => undefined,
  whenReady: function takeAtOnce(takePage) {
    void takePage()?.then(() => takeAtOnce(takePage));
  },
});

/** Histories without notifications: only a read finds a publication. */
class SilentStore extends HistoryStore {
  readonly #streams = new Map<string, PublicationStream>();
  reads = 0;
  /** Reads that are answered only when it is their turn; none is held while it is not set. */
  held: (() => void)[] | undefined;
  isAway = false;

  publish(name: string, text: string) {
    const position = this.#of(name).append(text, RETENTION, 0);
    return { recipients: 0, nodes: 0, complete: true, ...position };
  }

  async read(name: string, range: HistoryRange): Promise<HistoryPage> {
    this.reads += 1;
    await new Promise<void>((resolve) => (this.held ? this.held.push(resolve) : resolve()));
    if (this.isAway) throw new Error('away for the test');
    return this.#of(name).page(range, 0);
  }

  #of(name: string): PublicationStream {
    const stream = this.#streams.get(name) ?? new PublicationStream('e1');
    this.#streams.set(name, stream);
    return stream;
  }
}

const NO_PUBLISHED_STREAMS = { stopHere: () => 0 } as unknown as PublishedStreams;

let store: SilentStore;
let pubSub: InMemoryPubSubManager;
let registry: InMemoryConnectionRegistry;
let streams: TopicStreams;
let router: EnvelopeRouter;
let delivery: LocalDelivery;

beforeEach(() => {
  vi.useFakeTimers();
  store = new SilentStore();
  pubSub = new InMemoryPubSubManager();
  registry = new InMemoryConnectionRegistry();
  delivery = new LocalDelivery(registry, pubSub, new PresenceWatchers(), { now: () => 0 }, new NodeMeter());
  streams = new TopicStreams(delivery, store);
  const tracing = new RealtimeTracing();
  const pending = new PendingSubscribers();
  router = new EnvelopeRouter(delivery, streams, pending, NO_PUBLISHED_STREAMS, new NodeMeter(), tracing);
  streams.start();
});

afterEach(() => {
  streams.stop();
  vi.useRealTimers();
});

/** The frames of a connection, as passed to its socket. */
async function enter(name: string, id = 'a'): Promise<string[]> {
  const got: string[] = [];
  const codec = { encodeMessage: (text: string) => text } as never;
  const socket = { codec, send: (frame: Frame) => void got.push(frame.payload as string), close() {} };
  delivery.attach(id, { socket, missed: () => void got.push('missed') } as never);
  streams.hold(name, id, SETTINGS);
  pubSub.subscribe(id, name);
  await streams.enter(name, id, entryOf());
  return got;
}

/** An arrival from the bus. */
function arrive(name: string, text: string, offset: number) {
  const position = { epoch: 'e1', offset };
  return router.route({ to: [topic(name)], except: [], content: { kind: 'message', text, position } });
}

describe('a topic of which the bus brings nothing', () => {
  it('is looked into within 30 s, and what was missed is delivered', async () => {
    const got = await enter('log');
    store.publish('log', 'one');
    store.publish('log', 'two');
    await vi.advanceTimersByTimeAsync(31_000);
    expect(got).toEqual(['one', 'two']);
  });

  it('is looked into at once when the bus says that something may have been missed', async () => {
    const got = await enter('log');
    store.publish('log', 'one');
    streams.doubtAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(got).toEqual(['one']);
  });

  it('is looked into, too, when the promises of its store are those of another library', async () => {
    const read = store.read.bind(store);
    vi.spyOn(store, 'read').mockImplementation((name, range) => barePromise(read(name, range)));
    const got = await enter('log');
    store.publish('log', 'one');
    await vi.advanceTimersByTimeAsync(31_000);
    expect(got).toEqual(['one']);
  });

  it('is looked into no more when nobody is left', async () => {
    await enter('log');
    pubSub.unsubscribe('a', 'log');
    streams.left('log', 'a', true);
    const before = store.reads;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(store.reads).toBe(before);
  });
});

describe('a connection that leaves during its start and enters again at once', () => {
  it('gets a second start, which is not taken for the first', async () => {
    await enter('log', 'other');
    const starts: number[] = [];
    let again: Promise<boolean> | undefined;
    streams.hold('log', 'a', SETTINGS);
    const begin = () => {
      starts.push(1);
      streams.left('log', 'a', false);
      streams.hold('log', 'a', SETTINGS);
      again = streams.enter(
        'log',
        'a',
        entryOf(() => void starts.push(2), { epoch: 'e1', offset: 7 }),
      );
    };
    const first = streams.enter('log', 'a', entryOf(begin, { epoch: 'e1', offset: 0 }));
    await vi.advanceTimersByTimeAsync(0);
    expect([await first, await again, starts]).toEqual([undefined, true, [1, 2]]);
  });
});

describe('what comes before its turn', () => {
  it('waits until what is missing was found, and is counted then', async () => {
    const got = await enter('log');
    store.publish('log', 'one');
    store.publish('log', 'two');
    expect(await arrive('log', 'two', 2)).toBe(1);
    expect(got).toEqual(['one', 'two']);
  });

  it('waits while nothing can be read, and is delivered when it can', async () => {
    const got = await enter('log');
    store.publish('log', 'one');
    store.publish('log', 'two');
    store.isAway = true;
    const reached = arrive('log', 'two', 2);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(got).toEqual([]);
    store.isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await reached).toBe(1);
    expect(got).toEqual(['one', 'two']);
  });
});

describe('what is sent to a user, and kept', () => {
  /** A connection of the user: in the topic of the user's own, or not. */
  function connect(id: string, hasPersonalTopic: boolean): string[] {
    const got: string[] = [];
    const codec = { encodeMessage: (text: string, name?: string, offset?: number) => `${text} ${name} ${offset}` };
    const socket = { codec, send: (frame: Frame) => void got.push(frame.payload as string), close() {} };
    registry.set(createConnection({ id, userId: 'ann', createdAt: new Date(0) }));
    if (hasPersonalTopic) streams.hold('#user:ann', id, SETTINGS);
    delivery.attach(id, { socket, hasPersonalTopic, missed: () => void got.push('missed') } as never);
    return got;
  }

  function send(text: string, offset: number) {
    const position = { epoch: 'e1', offset };
    return router.route({ to: [user('ann')], except: [], content: { kind: 'message', text, position } });
  }

  it('is a message without a place for who is not in the topic of the user’s own', () => {
    const got = connect('a', false);
    expect([send('one', 1), got]).toEqual([1, ['one undefined undefined']]);
  });

  it('is a publication for who is, and each gets it once', async () => {
    const [plain, kept] = [connect('a', false), connect('b', true)];
    await streams.enter('#user:ann', 'b', entryOf());
    store.publish('#user:ann', 'one');
    expect(await send('one', 1)).toBe(2);
    expect([plain, kept]).toEqual([['one undefined undefined'], ['one #user:ann 1']]);
  });

  it('does not wait for others where it is no publication', async () => {
    const [plain, kept] = [connect('a', false), connect('b', true)];
    await streams.enter('#user:ann', 'b', entryOf());
    for (const text of ['one', 'two']) store.publish('#user:ann', text);
    const reached = send('two', 2);
    expect([plain, kept]).toEqual([['two undefined undefined'], []]);
    expect(await reached).toBe(2);
    expect(kept).toEqual(['one #user:ann 1', 'two #user:ann 2']);
  });

  it('does not come to who is about to enter behind it', async () => {
    const kept = connect('b', true);
    store.publish('#user:ann', 'one');
    expect(await send('one', 1)).toBe(0);
    const onStart = vi.fn<(start: FramedPage) => void>();
    await streams.enter('#user:ann', 'b', entryOf(onStart));
    expect([kept, onStart.mock.calls[0]![0].position]).toEqual([[], { epoch: 'e1', offset: 1 }]);
  });
});

describe('topics that are all in doubt', () => {
  it('are looked into a bounded number at a time, and all of them in the end', async () => {
    for (let n = 0; n < 200; n++) await enter(`log:${n}`, `c${n}`);
    const before = store.reads;
    store.held = [];
    streams.doubtAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.reads - before).toBe(64);
    const held = store.held;
    store.held = undefined;
    for (const answer of held) answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(store.reads - before).toBe(200);
  });
});

describe('a connection that has missed more than a page', () => {
  /** The connection as it catches up: what it has got, and its next turn. */
  function comeBack() {
    const got: string[] = [];
    const lost: unknown[] = [];
    let next: (() => Promise<void> | undefined) | undefined;
    const codec = { encodeMessage: (text: string) => text } as never;
    const socket = { codec, send: (frame: Frame) => void got.push(frame.payload as string), close() {} };
    delivery.attach('b', { socket, missed: (_name: string, position: unknown) => void lost.push(position) } as never);
    streams.hold('log', 'b', SETTINGS);
    pubSub.subscribe('b', 'log');
    const take = ({ frames }: FramedPage) => frames.forEach(({ text }) => void got.push(text));
    const entered = streams.enter('log', 'b', {
      wish: { recover: { epoch: 'e1', offset: 0 }, last: 0 },
      onStart: take,
      onPage: take,
      whenReady: (takePage) => (next = takePage),
    });
    /** Takes the next page, if it is known, or when it is. */
    const turn = async () => {
      await vi.advanceTimersByTimeAsync(0);
      const takePage = next;
      next = undefined;
      for (let unknown = takePage?.(); unknown; unknown = takePage?.()) {
        void vi.advanceTimersByTimeAsync(0);
        await unknown;
      }
    };
    return { got, lost, entered, turn };
  }

  const texts = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`);
  const publish = (from: number, to: number) => texts(from, to).forEach((text) => store.publish('log', text));

  it('gets each page when it can take it, and has entered with the first', async () => {
    publish(1, 25);
    const { got, entered, turn } = comeBack();
    await turn();
    expect([await entered, got]).toEqual([true, texts(1, 10)]);
    await turn();
    expect(got).toEqual(texts(1, 20));
    await turn();
    expect(got).toEqual(texts(1, 25));
    store.publish('log', '26');
    await arrive('log', '26', 26);
    expect(got).toEqual(texts(1, 26));
  });

  it('gets nothing live until it has caught up, and then all of it', async () => {
    publish(1, 12);
    const { got, turn } = comeBack();
    await turn();
    store.publish('log', '13');
    await arrive('log', '13', 13);
    const early = [...got];
    await turn();
    expect([early, got]).toEqual([texts(1, 10), texts(1, 13)]);
  });

  it('gets the rest after a read that has failed was repeated', async () => {
    publish(1, 15);
    const { got, turn } = comeBack();
    await turn();
    store.isAway = true;
    const turned = turn();
    await vi.advanceTimersByTimeAsync(2_500);
    store.isAway = false;
    await vi.advanceTimersByTimeAsync(1_000);
    await turned;
    expect(got).toEqual(texts(1, 15));
  });

  it('is told when the next page is no longer kept', async () => {
    publish(1, 15);
    const { got, lost, turn } = comeBack();
    await turn();
    publish(16, 120);
    for (let offset = 16; offset <= 120; offset++) void arrive('log', `${offset}`, offset);
    await turn();
    expect([got, lost]).toEqual([texts(1, 10), [{ epoch: 'e1', offset: 120 }]]);
  });

  it('gets nothing more when it leaves', async () => {
    publish(1, 25);
    const { got, turn } = comeBack();
    await turn();
    streams.left('log', 'b', true);
    await turn();
    expect(got).toEqual(texts(1, 10));
  });
});

describe('entering', () => {
  it('rejects when the history cannot be read', async () => {
    store.isAway = true;
    await expect(enter('log')).rejects.toThrow('away for the test');
  });

  it('comes to nothing when the connection leaves meanwhile', async () => {
    store.held = [];
    const onStart = vi.fn<(start: FramedPage) => void>();
    streams.hold('log', 'a', SETTINGS);
    const entered = streams.enter('log', 'a', entryOf(onStart));
    streams.left('log', 'a', true);
    await entered;
    for (const answer of store.held) answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(onStart).not.toHaveBeenCalled();
  });
});
