import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryPage, HistoryRange, Publication, StreamPosition } from './history.js';
import type { MemberPage, MemberSettings } from './feed-members.js';
import { TopicFeed } from './topic-feed.js';

const PAGE_SIZE = 4;
const KEPT = 10;

const SETTINGS: MemberSettings = {
  recoverLimit: 9,
  sendLast: 0,
  pageSize: PAGE_SIZE,
  pageBytes: 1_000,
  sizeOf: ({ text }) => text.length,
};

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

  /** The oldest publications are no longer kept. */
  trim(count: number): void {
    this.kept = this.kept.slice(count);
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
  /** True while it waits for another start, without having asked for a position. */
  isAgain = false;
  losses = 0;
  readonly texts: string[] = [];

  constructor(private readonly stream: Stream) {}

  paged({ kind, position, recovered, publications }: MemberPage, asked: StreamPosition | undefined): void {
    expect(this.isIn).toBe(kind !== 'start');
    this.isIn = true;
    if (kind === 'start' && this.isAgain) {
      this.isAgain = false;
      const { epoch, offset } = this.position!;
      // It may begin before what it has, but not behind it without being told.
      if (recovered !== false) expect(position).toEqual({ epoch, offset: Math.min(offset, position.offset) });
      else this.losses += 1;
    } else if (kind === 'start') {
      expect(recovered).toBe(asked ? (recovered ?? 'said') : undefined);
      if (recovered) expect(position).toEqual(asked?.epoch === '' ? { ...asked, epoch: position.epoch } : asked);
    }
    if (kind === 'more') expect(position).toEqual(this.position);
    else this.position = position;
    if (kind === 'lost') this.losses += 1;
    for (const publication of publications) this.take(publication, position.epoch);
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
  /** Members that can take a page. */
  readonly ready = new Set<string>();
  reading: HistoryPage | undefined;
  reads = 0;
  lost = 0;

  constructor(private readonly settings: Partial<MemberSettings> = {}) {
    this.feed = new TopicFeed(
      { ...SETTINGS, ...settings },
      {
        deliver: (publication, { epoch }) => {
          const fed = this.fed;
          for (const subscriber of fed) subscriber.take(publication, epoch);
          return fed.length;
        },
        send: (id, page) => {
          this.subscribers.get(id)!.paged(page, this.asked.get(id));
          expect(this.feed.behind.has(id)).toBe(!page.isLast);
          if (!page.isLast) this.ready.add(id);
        },
        ready: (id) => void this.ready.add(id),
        lost: (position) => {
          this.lost += 1;
          for (const subscriber of this.fed) subscriber.position = position;
        },
      },
    );
  }

  get fed(): Subscriber[] {
    return [...this.subscribers].flatMap(([id, subscriber]) => (this.feed.behind.has(id) ? [] : [subscriber]));
  }

  publish(): void {
    this.onBus.push([this.stream.publish(), `e${this.stream.epoch}`]);
  }

  arrive(): void {
    const next = this.onBus.shift();
    if (next) this.feed.arrive(...next, () => undefined);
  }

  /** @param last the number of latest publications that it asks for; default: as many as there are */
  enter(id: string, last = this.settings.sendLast ?? 0): void {
    if (this.subscribers.has(id)) return;
    this.subscribers.set(id, new Subscriber(this.stream));
    this.feed.hold(id);
    this.feed.enter(id, { recover: this.asked.get(id), last });
  }

  /** A member that catches up, or is live, subscribes again, without a position. */
  enterAgain(id: string, last = this.settings.sendLast ?? 0): void {
    const subscriber = this.subscribers.get(id);
    if (!subscriber?.isIn) return;
    if (this.feed.behind.has(id)) this.asked.set(id, subscriber.position);
    else subscriber.isAgain = true;
    subscriber.isIn = false;
    this.feed.enter(id, { last });
  }

  /** The member has taken the page before. */
  turn(id: string): void {
    if (this.ready.delete(id)) this.feed.serve(id);
  }

  cut(id: string): void {
    this.asked.set(id, this.subscribers.get(id)?.position ?? this.asked.get(id));
    this.subscribers.delete(id);
    this.ready.delete(id);
    this.feed.leave(id);
  }

  beginRead(): void {
    const { wanted } = this.feed;
    if (this.reading || !wanted) return;
    this.feed.begin();
    this.reads += 1;
    this.reading = this.stream.read(wanted);
  }

  endRead(): void {
    const read = this.reading;
    this.reading = undefined;
    if (read) this.feed.take(read);
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
    for (let rounds = 0; this.feed.wanted || this.ready.size > 0; rounds++) {
      expect(rounds).toBeLessThan(30);
      this.beginRead();
      this.endRead();
      for (const id of this.ready) this.turn(id);
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
  // Most steps should find members that are live.
  fc.constant((world: World) => world.settle()),
  fc.constant((world: World) => world.feed.doubt()),
  fc.constant((world: World) => world.feed.forget()),
  fc.constant((world: World) => world.stream.flush()),
  fc.constant((world: World) => world.stream.rollBack()),
  fc.nat(4).map((count) => (world: World) => world.stream.trim(count)),
  client.map((id) => (world: World) => world.turn(id)),
  client.map((id) => (world: World) => world.turn(id)),
  client.map((id) => (world: World) => world.enter(id)),
  fc.tuple(client, fc.constantFrom(undefined, 0)).map(
    ([id, last]) =>
      (world: World) =>
        world.enterAgain(id, last),
  ),
  client.map((id) => (world: World) => world.cut(id)),
  fc.tuple(client, fc.nat(20), fc.boolean()).map(([id, offset, isOfAny]) => (world: World) => {
    if (!world.subscribers.has(id)) world.asked.set(id, { epoch: isOfAny ? '' : `e${world.stream.epoch}`, offset });
  }),
];

/** One in which `a` is in. */
function worldWithOne(): World {
  const world = new World();
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
  it.each([0, 1, 3])('delivers everything once and in order, or says that it cannot (last %s first)', (sendLast) => {
    const pageBytes = fc.constantFrom(1, 12, 1_000);
    fc.assert(
      fc.property(pageBytes, fc.array(fc.oneof(...steps), { maxLength: 100, size: 'max' }), (bytes, run) => {
        const world = new World({ sendLast, pageBytes: bytes });
        for (const step of run) step(world);
        world.settle();
        for (const subscriber of world.subscribers.values()) {
          expect(subscriber.isIn).toBe(true);
          expect(subscriber.position).toEqual(world.stream.position);
        }
        expect(world.feed.behind.size).toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });

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
      const feed: TopicFeed = new TopicFeed(
        { ...SETTINGS, pageSize: 10 },
        {
          deliver: ({ text }) => log.push(text),
          send: () => undefined,
          ready: (id) => ready.push(id),
          lost: (position) => log.push(position),
        },
      );
      const ready: string[] = [];
      const publications = (...offsets: number[]) => offsets.map((offset) => ({ offset, text: `${offset}` }));
      const read = (epoch: string, offset: number, ...offsets: number[]) => {
        feed.begin();
        feed.take({ top: { epoch, offset }, publications: publications(...offsets) });
        for (const id of ready.splice(0)) feed.serve(id);
      };
      const arrive = (epoch: string, offset: number) => feed.arrive(publications(offset)[0]!, epoch, () => undefined);
      feed.enter('a', { last: 0 });
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
    const { reads } = world;
    enterFromTheStart(world, 'b');
    enterFromTheStart(world, 'c');
    world.beginRead();
    world.endRead();
    world.settle();
    expect([world.reads, world.subscribers.get('b')!.texts, world.subscribers.get('c')!.texts]).toEqual([
      reads + 2,
      ['e1:1'],
      ['e1:1'],
    ]);
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
    world.turn('b');
    world.turn('b');
    expect(world.subscribers.get('b')!.texts).toEqual(['e1:1', 'e1:2']);
    expect(world.feed.wanted).toBeUndefined();
  });

  it('recovers as many pages as the limit allows, each only when the member can take it', () => {
    const world = worldWithOne();
    for (let i = 0; i < 9; i++) {
      world.publish();
      world.arrive();
    }
    enterFromTheStart(world, 'b');
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      world.beginRead();
      world.endRead();
      world.turn('b');
      world.turn('b');
      counts.push(world.subscribers.get('b')!.texts.length);
    }
    expect([counts, world.feed.behind.size]).toEqual([[4, 8, 9], 0]);
  });

  it('reads a page at a time, however far back somebody wishes to begin, and says at once that it is too far', () => {
    const world = worldWithOne();
    for (let i = 0; i < 10 * PAGE_SIZE; i++) {
      world.publish();
      world.arrive();
    }
    world.asked.set('old', { epoch: 'e1', offset: 1 });
    world.enter('old');
    expect([world.feed.wanted, world.subscribers.get('old')!.isIn]).toEqual([undefined, true]);
  });

  it('tells a member whose next page is no longer kept, and goes on with the others', () => {
    const world = worldWithOne();
    for (let i = 0; i < 9; i++) {
      world.publish();
      world.arrive();
    }
    enterFromTheStart(world, 'b');
    world.beginRead();
    world.endRead();
    world.turn('b');
    world.stream.trim(6);
    world.settle();
    const { texts, losses, position } = world.subscribers.get('b')!;
    expect([texts.length, losses, position]).toEqual([4, 1, { epoch: 'e1', offset: 9 }]);
  });

  it('tells a member whose stream begins anew between two pages', () => {
    const world = worldWithOne();
    for (let i = 0; i < 9; i++) {
      world.publish();
      world.arrive();
    }
    enterFromTheStart(world, 'b');
    world.beginRead();
    world.endRead();
    world.turn('b');
    world.stream.flush();
    world.publish();
    world.settle();
    const { losses, position } = world.subscribers.get('b')!;
    expect([losses, position]).toEqual([1, { epoch: 'e2', offset: 1 }]);
  });

  it('goes on with a member that has begun when a read fails, and gives up one that has not', () => {
    const world = worldWithOne();
    for (let i = 0; i < 9; i++) {
      world.publish();
      world.arrive();
    }
    enterFromTheStart(world, 'b');
    world.beginRead();
    world.endRead();
    world.turn('b');
    world.turn('b');
    world.feed.forget();
    enterFromTheStart(world, 'c');
    world.beginRead();
    world.failRead();
    world.settle();
    const { texts, losses } = world.subscribers.get('b')!;
    expect([texts.length, losses, world.subscribers.has('c')]).toEqual([9, 0, false]);
  });

  it('gives a member one page of all that it has missed, though a part of it was read before for another', () => {
    const world = worldWithOne();
    const publish = () => {
      world.publish();
      world.arrive();
    };
    publish();
    publish();
    enterFromTheStart(world, 'b');
    world.beginRead();
    world.endRead();
    world.turn('b');
    publish();
    enterFromTheStart(world, 'c');
    world.beginRead();
    world.endRead();
    world.turn('c');
    expect(world.subscribers.get('c')!.texts).toEqual(['e1:1', 'e1:2', 'e1:3']);
  });

  describe('a live member that subscribes again', () => {
    /** A world in which `a` has one publication, and the bus has lost the next two. */
    function unsureWorld(sendLast: number): World {
      const world = new World({ sendLast });
      world.enter('a');
      world.settle();
      world.publish();
      world.arrive();
      world.publish();
      world.publish();
      world.onBus.length = 0;
      return world;
    }

    it.each([
      [0, ['e1:1', 'e1:2', 'e1:3']],
      [1, ['e1:1', 'e1:1', 'e1:2', 'e1:3']],
    ])('while publications are in doubt misses none of them (last %s first)', (sendLast, expected) => {
      const world = unsureWorld(sendLast);
      world.feed.doubt();
      world.enterAgain('a');
      world.settle();
      const { losses, texts } = world.subscribers.get('a')!;
      expect([losses, texts]).toEqual([0, expected]);
    });

    it('while a publication has come too early misses none of those before it', () => {
      const world = unsureWorld(0);
      world.publish();
      world.arrive();
      world.enterAgain('a');
      world.settle();
      expect(world.subscribers.get('a')!.texts).toEqual(['e1:1', 'e1:2', 'e1:3', 'e1:4']);
    });

    it('is told if the last publications that it waits for begin behind what it has', () => {
      const world = unsureWorld(2);
      world.settle();
      world.feed.forget();
      world.enterAgain('a');
      expect(world.feed.wanted).toMatchObject({ since: 1 });
      world.stream.flush();
      world.stream.publish();
      world.settle();
      expect(world.subscribers.get('a')).toMatchObject({ losses: 1, position: { epoch: 'e2', offset: 1 } });
    });
  });

  it('tells a live member that subscribes twice before its start of a loss, too', () => {
    const world = new World({ sendLast: 2 });
    world.enter('a');
    world.settle();
    for (let n = 0; n < 3; n++) world.publish();
    while (world.onBus.length > 0) world.arrive();
    world.feed.forget();
    world.enterAgain('a');
    world.feed.enter('a', { last: 2 });
    world.stream.flush();
    world.stream.publish();
    world.settle();
    expect(world.subscribers.get('a')).toMatchObject({ losses: 1, position: { epoch: 'e2', offset: 1 } });
  });

  it('keeps a bounded number of publications for members that catch up', () => {
    const world = new World({ recoverLimit: 1_000, pageSize: 300 });
    for (let i = 0; i < 10; i++) world.publish();
    world.onBus.length = 0;
    enterFromTheStart(world, 'b');
    world.settle();
    world.feed.hold('stalled');
    for (let i = 0; i < 400; i++) {
      world.publish();
      world.arrive();
    }
    world.asked.set('far', { epoch: 'e1', offset: 50 });
    world.enter('far');
    expect(world.feed.wanted).toMatchObject({ since: 50 });
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
    const world = new World();
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

  describe('with sendLast', () => {
    /** A world with this many publications, all of which have arrived. */
    function worldOf(count: number, settings: Partial<MemberSettings>): World {
      const world = new World(settings);
      world.enter('a');
      world.settle();
      for (let i = 0; i < count; i++) {
        world.publish();
        world.arrive();
      }
      return world;
    }

    it('gives a new subscriber the latest publications, without a read when they are known', () => {
      const world = worldOf(9, { sendLast: 3 });
      world.enter('b');
      expect([world.subscribers.get('b')!.texts, world.feed.wanted]).toEqual([['e1:7', 'e1:8', 'e1:9'], undefined]);
    });

    it('reads them once a second at most, because it does not keep them for longer', () => {
      const world = worldOf(9, { sendLast: 3 });
      const { reads } = world;
      world.feed.forget();
      world.enter('b');
      world.settle();
      world.enter('c');
      const counts = [world.reads - reads];
      world.feed.forget();
      world.publish();
      world.arrive();
      expect([counts, world.subscribers.get('c')!.texts]).toEqual([[2], ['e1:7', 'e1:8', 'e1:9', 'e1:10']]);
    });

    it('keeps the latest one for new subscribers', () => {
      const world = worldOf(9, { sendLast: 1 });
      world.feed.forget();
      world.enter('b');
      expect([world.subscribers.get('b')!.texts, world.feed.wanted]).toEqual([['e1:9'], undefined]);
    });

    it('reads them with the position when it knows nothing yet', () => {
      const world = new World({ sendLast: 3 });
      for (let i = 0; i < 9; i++) world.publish();
      world.onBus.length = 0;
      world.enter('b');
      world.beginRead();
      world.endRead();
      world.turn('b');
      expect([world.subscribers.get('b')!.texts, world.reads]).toEqual([['e1:7', 'e1:8', 'e1:9'], 1]);
    });

    it('begins with what is left when fewer are kept', () => {
      const world = worldOf(9, { sendLast: 8, pageSize: 2 });
      world.stream.trim(7);
      world.enter('b');
      world.settle();
      expect(world.subscribers.get('b')!.texts).toEqual(['e1:8', 'e1:9']);
    });

    it('gives them to a member that cannot recover, behind the statement that it cannot', () => {
      const world = worldOf(30, { sendLast: 2 });
      enterFromTheStart(world, 'b');
      expect(world.subscribers.get('b')!.texts).toEqual(['e1:29', 'e1:30']);
    });

    it('gives nothing twice to a member that recovers', () => {
      const world = worldOf(9, { sendLast: 3 });
      world.asked.set('b', { epoch: 'e1', offset: 8 });
      world.enter('b');
      expect(world.subscribers.get('b')!.texts).toEqual(['e1:9']);
    });

    it.each([
      [0, 0],
      [2, 2],
      [9, 3],
    ])('a member that asks for %s gets %s', (last, expected) => {
      const world = worldOf(9, { sendLast: 3 });
      world.enter('b', last);
      expect(world.subscribers.get('b')!.texts).toHaveLength(expected);
    });
  });

  describe('when the generation of an empty topic changes', () => {
    const first: Publication = { offset: 1, text: 'first' };

    /** A feed whose one member has entered at the beginning of generation 4. */
    function emptyFeed() {
      const log: unknown[] = [];
      const ready: string[] = [];
      const feed = new TopicFeed(SETTINGS, {
        deliver: ({ text }, position) => log.push(['delivered', text, position]),
        send: (id, { recovered, publications }) => log.push([id, recovered, publications.map(({ text }) => text)]),
        ready: (id) => ready.push(id),
        lost: (position) => log.push(['lost', position]),
      });
      const read = (page: HistoryPage) => {
        feed.begin();
        feed.take(page);
        for (const id of ready.splice(0)) feed.serve(id);
      };
      feed.enter('a', { last: 0 });
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
      feed.hold('b');
      feed.enter('b', { recover: { epoch: 't-4', offset: 0 }, last: 0 });
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
    const feed = new TopicFeed(SETTINGS, {
      deliver: () => 1,
      send: () => undefined,
      ready: () => undefined,
      lost: () => undefined,
    });
    let answered = 0;
    for (let offset = 2; offset < 10_000; offset++) feed.arrive({ offset, text: '' }, 'e1', () => (answered += 1));
    expect(answered).toBeGreaterThan(5_000);
  });
});
