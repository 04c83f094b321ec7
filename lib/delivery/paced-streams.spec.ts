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
const IDS = ['ann', 'bob', 'cem'] as const;

/** How a run is set up. */
interface Setting {
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
    disconnect: () => this.faults.push(`${this.id} is closed`),
  } as unknown as DeliveryTarget;

  constructor(
    readonly id: string,
    private readonly faults: string[],
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

/** A node with three clients. */
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
  readonly #clients = new Map(IDS.map((id) => [id as string, new Client(id, this.faults)]));

  constructor(private readonly setting: Setting) {
    this.store = new Store(setting);
    this.#streams = new TopicStreams(this.#delivery, this.store);
    const [bus, pending] = [new InMemoryMessageBus(), new PendingSubscribers()];
    this.#membership = new Membership(this.#registry, this.#pubSub, this.#delivery, bus, this.#streams, pending);
    for (const { id, target } of this.#clients.values()) {
      void this.#membership.add(createConnection({ id, userId: id, createdAt: new Date(0) }), target);
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
    const { maxRateHz, size } = this.setting;
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
      maxBytes: 1_000_000,
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
      for (const id of IDS) {
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
    return IDS.filter((id) => this.#pubSub.isSubscribed(id, NAME)).flatMap((id) => {
      const { place, base, got } = this.of(id);
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

const id = fc.constantFrom(...IDS);
const hz = fc.constantFrom(undefined, 1, 5, 20);
const type = fc.constantFrom(...TYPES);
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('publish' as const), type }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lose' as const), type }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('restart' as const, 'doubt' as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('subscribe' as const), id, recovers: fc.boolean(), hz }) },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constantFrom('block' as const, 'drain' as const, 'turn' as const), id }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('judge' as const, 'decide' as const, 'settle' as const), id }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unsubscribe' as const), id }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(20, 60, 300) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const) }) },
);

describe('a topic that keeps a history and delivers the latest values', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives each subscription offsets that only grow, and the last value of each type that was not lost', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 80, size: 'max' }),
        fc.record({
          size: fc.constantFrom(1, 5),
          isSlow: fc.boolean(),
          maxRateHz: fc.constantFrom(undefined, 10),
        }),
        async (steps, setting) => {
          const node = new Node(setting);
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
                node.subscribe(each.id, each.recovers, each.hz);
                break;
              case 'block':
                node.of(each.id).block();
                break;
              case 'drain':
                node.of(each.id).drain();
                break;
              case 'turn':
                node.turn(each.id);
                break;
              case 'judge':
                node.judge(each.id);
                break;
              case 'decide':
                node.decide(each.id);
                break;
              case 'settle':
                node.settle(each.id);
                break;
              case 'unsubscribe':
                node.unsubscribe(each.id);
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
      { numRuns: 500 },
    );
  });
});
