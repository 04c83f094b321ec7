import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InMemoryConnectionRegistry } from '../adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPubSubManager } from '../adapters/in-memory/in-memory-pub-sub-manager.js';
import { createConnection } from '../core/connection/connection.js';
import type { HistoryPage, HistoryRange, StreamPosition } from '../core/history/history.js';
import { PublicationStream } from '../core/history/publication-stream.js';
import type { Frame } from '../ports/frame.js';
import { HistoryStore, type PositionedReport } from '../ports/history-store.js';
import type { DeliveryTarget } from './delivery-target.js';
import { TopicHold } from './held-topics.js';
import { LocalDelivery } from './local-delivery.js';
import { Membership } from './membership.js';
import { NodeMeter } from './node-meter.js';
import { PendingSubscribers } from './pending-subscribers.js';
import { PresenceWatchers } from './presence-watchers.js';
import { TopicStreams } from './topic-streams.js';
import type { FramedPage, StreamEntry } from './topic-stream.js';

const NAME = 'state';
const TYPES = ['a', 'b', 'c'] as const;

/** How a run is set up. */
interface Setting {
  /** The number of clients. */
  readonly clients: number;
  /** Most bytes of values that may wait for a client. */
  readonly maxBytes: number;
  /** The number of publications that the topic keeps. */
  readonly size: number;
  /** True if reads of the history take time. */
  readonly isSlow: boolean;
  readonly maxRateHz: number | undefined;
}

/** The history of one topic, which can be replaced by another one with a new epoch. */
class Store extends HistoryStore {
  #epoch = 1;
  #stream = new PublicationStream('e1');
  /** The offset of the last publication of each type in this epoch. */
  readonly last = new Map<string, number>();
  #reads: (() => void)[] = [];

  constructor(private readonly setting: Setting) {
    super();
  }

  get retention() {
    return { size: this.setting.size, ttlMs: 1_000_000 };
  }

  get top(): StreamPosition {
    return this.#stream.top;
  }

  append(type: string) {
    const { epoch, offset } = this.top;
    const text = `{"type":"${type}","payload":"${epoch}:${offset + 1}"}`;
    this.last.set(type, offset + 1);
    return { publication: { offset: offset + 1, text }, ...this.#stream.append(text, this.retention, 0) };
  }

  restart(): void {
    this.last.clear();
    this.#stream = new PublicationStream(`e${++this.#epoch}`);
  }

  publish(): PositionedReport {
    throw new Error('The test appends by itself.');
  }

  read(_name: string, range: HistoryRange): HistoryPage | Promise<HistoryPage> {
    if (!this.setting.isSlow) return this.#stream.page(range, 0);
    return new Promise((resolve) => this.#reads.push(() => resolve(this.#stream.page(range, 0))));
  }

  /** Answers the reads that are under way. @returns false if there are none */
  answer(): boolean {
    const reads = this.#reads;
    this.#reads = [];
    for (const answer of reads) answer();
    return reads.length > 0;
  }
}

/** A client, and where it is by what it was told. */
class Client {
  /** The position behind which it is; nothing while it is not subscribed. */
  place: StreamPosition | undefined;
  /** The position up to which publications may be missing for it. */
  base: StreamPosition | undefined;
  /** The last publication that it got of each type, as epoch and offset. */
  readonly got = new Map<string, string>();
  hold: TopicHold | undefined;
  /** The commands that wait for a judgement. */
  commands: (() => void)[] = [];
  /** The pages that it has still to take. */
  pages: (() => Promise<void> | undefined)[] = [];
  #drain: (() => void) | undefined;
  #written: Promise<void> | undefined;
  readonly #codec = { encodeMessage: (text: string) => text };
  readonly target = {
    socket: {
      codec: this.#codec,
      send: ({ payload }: Frame) => this.#take(JSON.parse(payload as string)),
      written: () => this.#written,
      hasRoomFor: () => true,
    },
    missed: (_name: string, position: StreamPosition) => this.#told(position, 'a gap'),
    disconnect: () => this.ended(this.id),
  } as unknown as DeliveryTarget;

  constructor(
    readonly id: string,
    private readonly faults: string[],
    /** Called when it is closed as a slow consumer. */
    private readonly ended: (id: string) => void,
  ) {}

  block(): void {
    this.#written ??= new Promise((resolve) => (this.#drain = resolve));
  }

  drain(): void {
    this.#written = undefined;
    this.#drain?.();
  }

  /** A confirmation, which may go back in the stream: it begins anew. */
  subscribed({ position, recovered }: FramedPage): void {
    this.place = { ...position };
    if (recovered === false || this.base === undefined) this.base = { ...position };
  }

  #told(position: StreamPosition, what: string): void {
    const { place } = this;
    if (place?.epoch === position.epoch && place.offset > position.offset)
      this.faults.push(`${this.id} is told of ${what} at ${position.offset} behind ${place.offset}`);
    this.place = { ...position };
    this.base = { ...position };
  }

  #take({ type, payload }: { type: string; payload: string }): void {
    const { place } = this;
    const [epoch, offset] = payload.split(':') as [string, string];
    if (place === undefined) this.faults.push(`${this.id} gets ${payload} without a subscription`);
    else if (place.epoch !== epoch || place.offset >= Number(offset))
      this.faults.push(`${this.id} gets ${payload} behind ${place.epoch}:${place.offset}`);
    else this.place = { epoch, offset: Number(offset) };
    this.got.set(type, payload);
  }
}

/** A node with its clients. */
class Node {
  readonly faults: string[] = [];
  readonly store: Store;
  readonly #registry = new InMemoryConnectionRegistry();
  readonly #pubSub = new InMemoryPubSubManager();
  readonly #delivery = new LocalDelivery(
    this.#registry,
    this.#pubSub,
    new PresenceWatchers(),
    { now: () => 0 },
    new NodeMeter(),
  );
  readonly #streams: TopicStreams;
  readonly #membership: Membership;
  readonly #clients = new Map<string, Client>();

  constructor(private readonly setting: Setting) {
    this.store = new Store(setting);
    this.#streams = new TopicStreams(this.#delivery, this.store);
    const [bus, pending] = [new InMemoryMessageBus(), new PendingSubscribers()];
    this.#membership = new Membership(this.#registry, this.#pubSub, this.#delivery, bus, this.#streams, pending);
    for (let n = 0; n < setting.clients; n++) {
      const client = new Client(`${n}`, this.faults, (id) => this.unsubscribe(id));
      this.#clients.set(client.id, client);
      const { id, target } = client;
      void this.#membership.add(createConnection({ id, userId: id, createdAt: new Date(0) }), target);
    }
  }

  /** The first, the middle or the last of the clients. */
  idOf(place: number): string {
    return `${Math.round(place * (this.setting.clients - 1))}`;
  }

  /** All clients subscribe. */
  async fill(): Promise<void> {
    for (const id of this.#clients.keys()) this.subscribe(id, false, undefined);
    for (let n = 0; n < 3; n++) {
      for (const id of this.#clients.keys()) this.turn(id);
      this.store.answer();
      await settled();
    }
  }

  of(id: string): Client {
    return this.#clients.get(id)!;
  }

  publish(type: string): void {
    const { publication, epoch } = this.store.append(type);
    void this.#streams.arrive(NAME, publication, epoch);
  }

  doubt(): void {
    this.#streams.doubtAll();
  }

  subscribe(id: string, recovers: boolean, askedHz: number | undefined): void {
    const client = this.of(id);
    const recover = recovers ? client.place : undefined;
    const { maxRateHz, maxBytes, size } = this.setting;
    const isNew = !this.#pubSub.isSubscribed(id, NAME);
    if (!isNew && client.hold) return void client.commands.push(() => this.subscribe(id, recovers, askedHz));
    const begin = (page: FramedPage): void => {
      if (!isNew) this.#membership.flush(id, NAME);
      client.subscribed(page);
      for (const frames of page.frames) client.target.socket.send(frames.for(client.target.socket.codec));
    };
    const entry: StreamEntry = {
      wish: { recover, last: Infinity },
      onStart: (page) => void ((client.hold?.keep(() => begin(page), 0) ?? false) || begin(page)),
      onPage: ({ frames }) => {
        for (const each of frames) client.target.socket.send(each.for(client.target.socket.codec));
      },
      whenReady: (takePage) => void client.pages.push(takePage),
    };
    const pace = {
      slow: 'latest',
      maxBytes,
      ...(maxRateHz !== undefined && { maxRateHz }),
      ...(askedHz !== undefined && { askedHz }),
    } as const;
    const { retention } = this.store;
    const stream = { retention, recoverLimit: size, sendLast: 1, pageSize: 2, pageBytes: 1_000 };
    void this.#membership.enter(id, NAME, { ...entry, stream, pace });
  }

  unsubscribe(id: string): void {
    const client = this.of(id);
    client.hold?.drop();
    client.hold = undefined;
    client.commands = [];
    this.#membership.unsubscribe(id, NAME);
    client.place = undefined;
    client.base = undefined;
  }

  judge(id: string): void {
    const client = this.of(id);
    if (client.hold || !this.#pubSub.isSubscribed(id, NAME)) return;
    client.hold = new TopicHold({ used: 0, maxBytes: 1_000_000 }, () => undefined);
    this.#membership.hold(id, NAME, client.hold);
  }

  decide(id: string): void {
    const client = this.of(id);
    const { hold } = client;
    client.hold = undefined;
    this.#membership.endHold(id, NAME);
    hold?.giveOut();
    for (const command of client.commands.splice(0)) command();
  }

  settle(id: string): void {
    if (this.of(id).hold === undefined) this.#membership.settle(id, [NAME]);
  }

  /** Lets a client take its next page. @returns false if there is none that it may take */
  turn(id: string): boolean {
    const client = this.of(id);
    if (client.hold) return false;
    const takePage = client.pages.shift();
    const unknown = takePage?.();
    if (unknown) void unknown.then(() => client.pages.push(takePage!));
    return takePage !== undefined;
  }

  /** Lets everything go on that waits, until nothing happens any more. */
  async end(): Promise<void> {
    this.#streams.doubtAll();
    for (let quiet = 0; quiet < 3; quiet++) {
      for (const id of this.#clients.keys()) {
        this.decide(id);
        this.of(id).drain();
        if (this.turn(id)) quiet = 0;
      }
      if (this.store.answer()) quiet = 0;
      vi.advanceTimersByTime(20_000);
      await settled();
    }
  }

  /** What the clients that are subscribed lack that was not reported as lost. */
  get lacking(): string[] {
    const { top, last } = this.store;
    const subscribed = [...this.#clients.values()].filter(({ id }) => this.#pubSub.isSubscribed(id, NAME));
    return subscribed.flatMap(({ id, place, base, got }) => {
      if (place?.epoch !== top.epoch || place.offset !== top.offset) return [`${id} is at ${JSON.stringify(place)}`];
      return [...last].flatMap(([type, offset]) => {
        const isLost = base?.epoch === top.epoch && base.offset >= offset;
        return isLost || got.get(type) === `${top.epoch}:${offset}` ? [] : [`${id} lacks ${type} ${offset}`];
      });
    });
  }
}

async function settled(): Promise<void> {
  for (let n = 0; n < 12; n++) await Promise.resolve();
}

const place = fc.constantFrom(0, 0.5, 1);
const hz = fc.constantFrom(undefined, 1, 5, 20);
const type = fc.constantFrom(...TYPES);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('publish' as const), type }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), type }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'doubt' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), place, recovers: fc.boolean(), hz }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('block' as const, 'drain' as const, 'turn' as const), place }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('judge' as const, 'decide' as const, 'settle' as const), place }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), place }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(20, 60, 300) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
);

describe('a topic that keeps a history and delivers the latest values', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    // Slices are over after a few readers.
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 3));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it.each([
    ['few', { clients: 3, maxBytes: 1_000_000 }, 400],
    ['many, which are served in slices', { clients: 300, maxBytes: 1_000_000 }, 25],
    ['many, of which the slowest are closed', { clients: 300, maxBytes: 500 }, 25],
  ])(
    'gives each subscription offsets that only grow, and the last value of each type that was not lost: %s',
    async (_many, crowd, numRuns) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { maxLength: 80, size: 'max' }),
          fc.record({
            size: fc.constantFrom(1, 5),
            isSlow: fc.boolean(),
            maxRateHz: fc.constantFrom(undefined, 10),
          }),
          async (steps, setting) => {
            const node = new Node({ ...crowd, ...setting });
            if (crowd.clients > 3) await node.fill();
            for (const each of steps) {
              switch (each.kind) {
                case 'publish':
                  node.publish(each.type);
                  break;
                case 'lose':
                  node.store.append(each.type);
                  break;
                case 'restart':
                  node.store.restart();
                  break;
                case 'doubt':
                  node.doubt();
                  break;
                case 'subscribe':
                  node.subscribe(node.idOf(each.place), each.recovers, each.hz);
                  break;
                case 'block':
                  node.of(node.idOf(each.place)).block();
                  break;
                case 'drain':
                  node.of(node.idOf(each.place)).drain();
                  break;
                case 'turn':
                  node.turn(node.idOf(each.place));
                  break;
                case 'judge':
                  node.judge(node.idOf(each.place));
                  break;
                case 'decide':
                  node.decide(node.idOf(each.place));
                  break;
                case 'settle':
                  node.settle(node.idOf(each.place));
                  break;
                case 'unsubscribe':
                  node.unsubscribe(node.idOf(each.place));
                  break;
                case 'wait':
                  vi.advanceTimersByTime(each.ms);
                  break;
                case 'answer':
                  node.store.answer();
                  break;
              }
              await settled();
            }
            await node.end();
            expect([...node.faults, ...node.lacking]).toEqual([]);
          },
        ),
        { numRuns },
      );
    },
  );
});
