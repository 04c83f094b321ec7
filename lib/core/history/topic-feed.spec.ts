import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryPage, HistoryRange, Publication, StreamPosition } from './history.js';
import { TopicFeed, type StreamStart } from './topic-feed.js';

const PAGE_SIZE = 4;
const KEPT = 6;

/** A stream as a store keeps it. */
class Stream {
  epoch = 1;
  top = 0;
  kept: Publication[] = [];
  /** Every publication ever made, by position. */
  readonly texts = new Map<string, string>();

  publish(): Publication {
    const text = `e${this.epoch}:${++this.top}`;
    const publication = { offset: this.top, text };
    this.texts.set(text, text);
    this.kept = [...this.kept, publication].slice(-KEPT);
    return publication;
  }

  /** Everything is lost. */
  flush(): void {
    this.epoch += 1;
    this.top = 0;
    this.kept = [];
  }

  /** An older state comes back, and is counted on from. */
  rollBack(): void {
    this.epoch += 1;
    this.top = Math.max(0, this.top - 2);
    this.kept = this.kept.filter(({ offset }) => offset <= this.top);
    for (const { offset, text } of this.kept) this.texts.set(`e${this.epoch}:${offset}`, text);
  }

  get position(): StreamPosition {
    return { epoch: `e${this.epoch}`, offset: this.top };
  }

  read({ limit, since, reverse = false }: HistoryRange): HistoryPage {
    const ordered = reverse ? this.kept.toReversed() : this.kept;
    const wanted = ordered.filter(({ offset }) => since === undefined || (reverse ? offset < since : offset > since));
    return { top: this.position, publications: wanted.slice(0, limit) };
  }
}

/** A subscriber that counts along, and fails as soon as something is silently missing, twice, or out of order. */
class Subscriber {
  position: StreamPosition | undefined;
  isIn = false;
  readonly texts: string[] = [];

  constructor(private readonly stream: Stream) {}

  started(
    { position, recovered, publications }: StreamStart,
    asked: StreamPosition | undefined,
    sendLatest: boolean,
  ): void {
    this.isIn = true;
    expect(recovered).toBe(asked ? (recovered ?? 'said') : undefined);
    if (recovered) {
      expect(position).toEqual(asked?.epoch === '' ? { ...asked, epoch: position.epoch } : asked);
      this.position = position;
      for (const publication of publications) this.take(publication, position.epoch);
    } else {
      this.position = position;
      if (!sendLatest) expect(publications).toEqual([]);
      for (const { offset, text } of publications)
        expect([offset, text]).toEqual([position.offset, this.#textAt(position)]);
    }
  }

  take({ offset, text }: Publication, epoch: string): void {
    expect({ epoch, offset: offset - 1 }).toEqual(this.position);
    expect(text).toBe(this.#textAt({ epoch, offset }));
    this.position = { epoch, offset };
    this.texts.push(text);
  }

  #textAt({ epoch, offset }: StreamPosition): string | undefined {
    return this.stream.texts.get(`${epoch}:${offset}`);
  }
}

/** A node with its subscribers, a bus that may lose and repeat, and reads that take their time. */
class World {
  readonly stream = new Stream();
  readonly feed: TopicFeed;
  readonly subscribers = new Map<string, Subscriber>();
  readonly asked = new Map<string, StreamPosition | undefined>();
  readonly onBus: [Publication, string][] = [];
  reading: [page: HistoryPage, latest: Publication | undefined] | undefined;
  lost = 0;

  constructor(readonly sendLatest: boolean) {
    this.feed = new TopicFeed(
      { pageSize: PAGE_SIZE, sendLatest },
      {
        deliver: (publication, { epoch }) => {
          const fed = this.fed;
          for (const subscriber of fed) subscriber.take(publication, epoch);
          return fed.length;
        },
        start: (id, streamStart) => {
          this.subscribers.get(id)!.started(streamStart, this.asked.get(id), sendLatest);
        },
        lost: (position) => {
          this.lost += 1;
          for (const subscriber of this.fed) subscriber.position = position;
        },
      },
    );
  }

  get fed(): Subscriber[] {
    return [...this.subscribers].flatMap(([id, subscriber]) => (this.feed.waiting.has(id) ? [] : [subscriber]));
  }

  publish(): void {
    this.onBus.push([this.stream.publish(), `e${this.stream.epoch}`]);
  }

  arrive(): void {
    const next = this.onBus.shift();
    if (next) this.feed.arrive(...next, () => undefined);
  }

  enter(id: string): void {
    if (this.subscribers.has(id)) return;
    this.subscribers.set(id, new Subscriber(this.stream));
    this.feed.hold(id);
    const asked = this.asked.get(id);
    this.feed.enter(id, asked);
  }

  cut(id: string): void {
    this.asked.set(id, this.subscribers.get(id)?.position ?? this.asked.get(id));
    this.subscribers.delete(id);
    this.feed.leave(id);
  }

  beginRead(): void {
    const { wanted } = this.feed;
    if (this.reading || !wanted) return;
    this.feed.begin();
    this.reading = [this.stream.read(wanted), this.stream.read({ limit: 1, reverse: true }).publications[0]];
  }

  endRead(): void {
    const read = this.reading;
    this.reading = undefined;
    if (read) this.feed.take(...read);
  }

  failRead(): void {
    if (!this.reading) return;
    this.reading = undefined;
    for (const id of this.feed.fail()) this.subscribers.delete(id);
  }

  settle(): void {
    while (this.onBus.length > 0) this.arrive();
    this.endRead();
    this.feed.doubt();
    for (let reads = 0; this.feed.wanted; reads++) {
      expect(reads).toBeLessThan(20);
      this.beginRead();
      this.endRead();
    }
  }
}

type Step = (world: World) => void;

const client = fc.constantFrom('a', 'b', 'c');
const steps: fc.Arbitrary<Step>[] = [
  fc.constant((world: World) => world.publish()),
  fc.constant((world: World) => world.publish()),
  fc.constant((world: World) => world.arrive()),
  fc.constant((world: World) => world.arrive()),
  fc.constant((world: World) => void world.onBus.shift()),
  fc.constant((world: World) => void (world.onBus[0] && world.onBus.unshift(world.onBus[0]))),
  fc.constant((world: World) => world.beginRead()),
  fc.constant((world: World) => world.endRead()),
  fc.constant((world: World) => world.failRead()),
  fc.constant((world: World) => world.feed.doubt()),
  fc.constant((world: World) => world.stream.flush()),
  fc.constant((world: World) => world.stream.rollBack()),
  client.map((id) => (world: World) => world.enter(id)),
  client.map((id) => (world: World) => world.cut(id)),
  fc.tuple(client, fc.nat(20), fc.boolean()).map(([id, offset, isOfAny]) => (world: World) => {
    if (!world.subscribers.has(id)) world.asked.set(id, { epoch: isOfAny ? '' : `e${world.stream.epoch}`, offset });
  }),
];

/** One in which `a` is in. */
function worldWithOne(): World {
  const world = new World(false);
  world.enter('a');
  world.settle();
  return world;
}

/** Lets a member enter that requests full recovery. */
function enterFromTheStart(world: World, id: string): void {
  world.asked.set(id, { epoch: 'e1', offset: 0 });
  world.enter(id);
}

describe('TopicFeed', () => {
  it.each([false, true])(
    'delivers everything once and in order, or says that it cannot (latest first: %s)',
    (sendLatest) => {
      fc.assert(
        fc.property(fc.array(fc.oneof(...steps), { maxLength: 80 }), (run) => {
          const world = new World(sendLatest);
          for (const step of run) step(world);
          world.settle();
          for (const subscriber of world.subscribers.values()) {
            expect(subscriber.isIn).toBe(true);
            expect(subscriber.position).toEqual(world.stream.position);
          }
        }),
        { numRuns: 2_000 },
      );
    },
  );

  it('loses nothing that the bus has lost as long as it is kept', () => {
    const world = worldWithOne();
    world.publish();
    world.publish();
    world.onBus.shift();
    world.arrive();
    world.settle();
    expect(world.subscribers.get('a')!.texts).toEqual(['e1:1', 'e1:2']);
    expect(world.lost).toBe(0);
  });

  describe('when another epoch has begun with older data, further on than it stood,', () => {
    /** It stands at the second publication of an epoch; the data that come back have five, of an epoch before. */
    function returned() {
      const log: unknown[] = [];
      const feed = new TopicFeed(
        { pageSize: 10, sendLatest: false },
        {
          deliver: ({ text }) => log.push(text),
          start: () => undefined,
          lost: (position) => log.push(position),
        },
      );
      const publications = (...offsets: number[]) => offsets.map((offset) => ({ offset, text: `${offset}` }));
      const read = (epoch: string, offset: number, ...offsets: number[]) => {
        feed.begin();
        feed.take({ top: { epoch, offset }, publications: publications(...offsets) });
      };
      const arrive = (epoch: string, offset: number) => feed.arrive(publications(offset)[0]!, epoch, () => undefined);
      feed.enter('a', undefined);
      read('before', 2);
      return { feed, log, read, arrive };
    }

    it('says that it goes on at their end, and delivers none of them', () => {
      const { feed, log, read } = returned();
      feed.doubt();
      read('after', 5, 3, 4, 5);
      expect(log).toEqual([{ epoch: 'after', offset: 5 }]);
    });

    it('delivers what has arrived since, in order', () => {
      const { log, read, arrive } = returned();
      arrive('after', 7);
      arrive('after', 6);
      read('after', 7, 3, 4, 5, 6, 7);
      expect(log).toEqual([{ epoch: 'after', offset: 5 }, '6', '7']);
    });

    it('delivers what has arrived since, though a page does not lead up to it', () => {
      const { feed, log, read, arrive } = returned();
      arrive('after', 6);
      read('after', 7, 3, 4);
      expect(log).toEqual([{ epoch: 'after', offset: 5 }, '6']);
      expect(feed.wanted).toMatchObject({ since: 6 });
    });
  });

  it('counts whom it reached of what came before its turn, also when that was read', () => {
    const world = worldWithOne();
    world.publish();
    world.publish();
    const [, second] = world.onBus.splice(0);
    const reached: number[] = [];
    world.feed.arrive(...second!, (count) => reached.push(count));
    world.settle();
    expect(reached).toEqual([1]);
  });

  it('reads once for all who come while it reads', () => {
    const world = worldWithOne();
    world.publish();
    world.arrive();
    enterFromTheStart(world, 'b');
    enterFromTheStart(world, 'c');
    world.beginRead();
    world.endRead();
    expect(world.feed.wanted).toBeUndefined();
    expect(world.subscribers.get('c')!.texts).toEqual(['e1:1']);
  });

  it('lets somebody in with one read, whatever arrives while it reads', () => {
    const world = worldWithOne();
    world.publish();
    world.arrive();
    enterFromTheStart(world, 'b');
    world.beginRead();
    world.publish();
    world.arrive();
    world.endRead();
    expect(world.subscribers.get('b')!.texts).toEqual(['e1:1', 'e1:2']);
    expect(world.feed.wanted).toBeUndefined();
  });

  it('reads no further than two pages, however far back somebody wishes to begin', () => {
    const world = worldWithOne();
    for (let i = 0; i < 10 * PAGE_SIZE; i++) {
      world.publish();
      world.arrive();
    }
    world.asked.set('old', { epoch: 'e1', offset: 1 });
    world.enter('old');
    expect(world.feed.wanted?.limit).toBeLessThanOrEqual(2 * PAGE_SIZE);
    world.settle();
    expect(world.subscribers.get('old')!.isIn).toBe(true);
  });

  it('reads again what it was in doubt about when that has failed', () => {
    const world = worldWithOne();
    world.publish();
    world.onBus.length = 0;
    world.feed.doubt();
    world.beginRead();
    world.failRead();
    world.beginRead();
    world.endRead();
    expect(world.subscribers.get('a')!.texts).toEqual(['e1:1']);
  });

  it('reads nothing for a new subscriber when it knows where it stands', () => {
    const world = worldWithOne();
    world.enter('b');
    expect(world.feed.wanted).toBeUndefined();
    expect(world.subscribers.get('b')!.isIn).toBe(true);
  });

  it('is not kept from serving others by one who claims to have been away for long', () => {
    const world = new World(false);
    for (let i = 0; i < 10; i++) world.publish();
    world.onBus.length = 0;
    world.asked.set('old', { epoch: 'e1', offset: 0 });
    world.asked.set('fresh', { epoch: 'e1', offset: 9 });
    world.enter('old');
    world.enter('fresh');
    world.settle();
    expect(world.subscribers.get('fresh')!.texts).toEqual(['e1:10']);
    expect(world.subscribers.get('old')!.texts).toEqual([]);
  });

  it('gives a new subscriber the latest publication when that is wanted', () => {
    const seen: StreamStart[] = [];
    const feed = new TopicFeed(
      { pageSize: PAGE_SIZE, sendLatest: true },
      { deliver: () => 0, start: (_id, streamStart) => void seen.push(streamStart), lost: () => undefined },
    );
    feed.enter('a', undefined);
    expect(feed.wanted).toEqual({ limit: 1, reverse: true });
    feed.begin();
    feed.take({ top: { epoch: 'e1', offset: 7 }, publications: [{ offset: 7, text: 'seven' }] });
    expect(seen).toEqual([
      {
        position: { epoch: 'e1', offset: 7 },
        top: { epoch: 'e1', offset: 7 },
        publications: [{ offset: 7, text: 'seven' }],
      },
    ]);
  });

  describe('when the generation of an empty topic changes', () => {
    const first: Publication = { offset: 1, text: 'first' };

    /** A feed whose one member has entered at the beginning of generation 4. */
    function emptyFeed() {
      const log: unknown[] = [];
      const feed = new TopicFeed(
        { pageSize: PAGE_SIZE, sendLatest: false },
        {
          deliver: ({ text }, position) => log.push(['delivered', text, position]),
          start: (id, { recovered, publications }) => log.push([id, recovered, publications.map(({ text }) => text)]),
          lost: (position) => log.push(['lost', position]),
        },
      );
      const read = (page: HistoryPage) => {
        feed.begin();
        feed.take(page);
      };
      feed.enter('a', undefined);
      read({ top: { epoch: 't-4', offset: 0 }, publications: [] });
      return { feed, log, read };
    }

    it('delivers the first publication as the next one', () => {
      const { feed, log } = emptyFeed();
      feed.arrive(first, 't-5', () => undefined);
      expect(log).toEqual([
        ['a', undefined, []],
        ['delivered', 'first', { epoch: 't-5', offset: 1 }],
      ]);
    });

    it('delivers it also after any number of generations, if it was read in each', () => {
      const { feed, log, read } = emptyFeed();
      for (const epoch of ['t-5', 't-6', 't-7']) read({ top: { epoch, offset: 0 }, publications: [] });
      feed.arrive(first, 't-7', () => undefined);
      expect(log.at(-1)).toEqual(['delivered', 'first', { epoch: 't-7', offset: 1 }]);
    });

    it('recovers it for somebody who was told the beginning in the generation before', () => {
      const { feed, log, read } = emptyFeed();
      feed.arrive(first, 't-5', () => undefined);
      feed.enter('b', { epoch: 't-4', offset: 0 });
      read({ top: { epoch: 't-5', offset: 1 }, publications: [first] });
      expect(log.at(-1)).toEqual(['b', true, ['first']]);
    });

    it('says that something was lost when the term is another one', () => {
      const { feed, log, read } = emptyFeed();
      feed.arrive(first, 'u-5', () => undefined);
      read({ top: { epoch: 'u-5', offset: 1 }, publications: [first] });
      expect(log.slice(1)).toContainEqual(['lost', { epoch: 'u-5', offset: 0 }]);
    });
  });

  it('keeps a bounded number of what comes before its turn', () => {
    const feed = new TopicFeed(
      { pageSize: PAGE_SIZE, sendLatest: false },
      { deliver: () => 1, start: () => undefined, lost: () => undefined },
    );
    let answered = 0;
    for (let offset = 2; offset < 10_000; offset++) feed.arrive({ offset, text: '' }, 'e1', () => (answered += 1));
    expect(answered).toBeGreaterThan(5_000);
  });
});
