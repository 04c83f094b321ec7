import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { FanOuts, type Recipient } from './fan-outs.js';

/** A tenth of a millisecond for each recipient. */
const STEP_MS = 0.1;

interface Reader extends Recipient {
  readonly id: string;
  readonly read: string[];
}

let now: number;
let log: string[];
let readers: Map<string, Reader>;
let fanOuts: FanOuts<Reader>;

beforeEach(() => {
  now = 0;
  log = [];
  readers = new Map();
  fanOuts = new FanOuts(readers, () => now);
});

function admit(id: string): Reader {
  const reader = { id, read: [] };
  fanOuts.admit(reader);
  readers.set(id, reader);
  return reader;
}

const admitAll = (count: number) => Array.from({ length: count }, (_, n) => admit(`c${n}`));

const saying = (word: string) => (reader: Reader) => {
  now += STEP_MS;
  reader.read.push(word);
  log.push(`${word} ${reader.id}`);
};

const add = (word: string, ids: ReadonlySet<string> | ReadonlyMap<string, Reader> = readers, bytes = 1) =>
  fanOuts.add({ ids, bytes, serve: saying(word) });

/** Fulfils when nothing is left. @returns how long each slice was, in milliseconds */
async function settled(): Promise<number[]> {
  const slices: number[] = [];
  for (let turn = 0; !fanOuts.isEmpty && turn < 10_000; turn++) {
    const before = now;
    await nextTurn();
    slices.push(now - before);
  }
  return slices;
}

describe('a fan-out to many', () => {
  it('is carried out in slices of four milliseconds, in which others are served', async () => {
    admitAll(1_000);
    void add('a');
    const slices = [now, ...(await settled())];
    expect(log).toEqual(Array.from({ length: 1_000 }, (_, n) => `a c${n}`));
    expect(slices.length).toBeGreaterThanOrEqual(18);
    // The clock is read once in 16 steps.
    expect(Math.max(...slices)).toBeLessThan(4 + 16 * STEP_MS + 0.01);
  });

  it('takes one turn when the clock stands still: it is the clock that cuts it', () => {
    fanOuts = new FanOuts(readers, () => 0);
    admitAll(1_000);
    expect(add('a')).toBeUndefined();
    expect(log).toHaveLength(1_000);
  });

  it('counts each frame of a recipient as a step', async () => {
    admitAll(100);
    const serve = (reader: Reader) => {
      for (let frame = 0; frame < 10; frame++) saying(`a${frame}`)(reader);
    };
    void fanOuts.add({ ids: readers, bytes: 1, serve, weight: 10 });
    const slices = [now, ...(await settled())];
    expect(log).toHaveLength(1_000);
    expect(Math.max(...slices)).toBeLessThan(4 + 20 * STEP_MS + 0.01);
  });

  it('shares the slice of a turn with the others of that turn', async () => {
    admitAll(30);
    for (const word of ['a', 'b', 'c', 'd', 'e']) void add(word);
    expect(now).toBeLessThan(4 + 16 * STEP_MS + 0.01);
    await settled();
    expect(log).toHaveLength(150);
  });

  it('is carried out after the one before', async () => {
    admitAll(200);
    await Promise.all([add('a'), add('b')]);
    expect(log.findIndex((line) => line.startsWith('b'))).toBe(200);
    expect(log).toHaveLength(400);
  });

  it('goes on where it was with a set of its own kind as well', async () => {
    admitAll(300);
    const all = new Set(readers.keys());
    const ids = Object.assign(new Set(all), {
      *keys() {
        yield* all;
      },
    });
    await add('a', ids);
    expect(log).toHaveLength(300);
  });

  it('for nobody is over at once', () => {
    expect([add('a'), fanOuts.isEmpty, log]).toEqual([undefined, true, []]);
  });

  it('that is added while another one is carried out comes to an end, too', async () => {
    admitAll(3);
    let inner: Promise<void> | undefined;
    const serve = (reader: Reader) => {
      saying('outer')(reader);
      inner ??= add('inner', new Set(['c0', 'c1']));
    };
    await fanOuts.add({ ids: readers, bytes: 1, serve });
    await inner;
    expect(log).toEqual(['outer c0', 'outer c1', 'outer c2', 'inner c0', 'inner c1']);
  });

  it('goes on with the others after one that failed', async () => {
    admitAll(3);
    const serve = (reader: Reader) => {
      saying('a')(reader);
      if (reader.id === 'c0') throw new Error('broken');
    };
    expect(() => fanOuts.add({ ids: readers, bytes: 1, serve })).toThrow('broken');
    await settled();
    expect(log).toEqual(['a c0', 'a c1', 'a c2']);
  });
});

describe('a recipient', () => {
  it('that has to catch up is served at once, in order, and not a second time', async () => {
    admitAll(500);
    const done = Promise.all([add('a'), add('b')]);
    fanOuts.catchUp('c499');
    const early = log.slice(-2);
    await done;
    expect(early).toEqual(['a c499', 'b c499']);
    expect(log).toHaveLength(1_000);
    expect(new Set(log).size).toBe(1_000);
  });

  it('is not served by what it is no recipient of', async () => {
    admitAll(500);
    const done = add('a', new Set(Array.from(readers.keys()).slice(0, 400)));
    fanOuts.catchUp('c499');
    await done;
    expect([log.length, readers.get('c499')!.read]).toEqual([400, []]);
  });

  it('gets nothing that is older than itself', async () => {
    admitAll(500);
    void add('a');
    const late = admit('late');
    void add('b');
    await settled();
    expect(late.read).toEqual(['b']);
  });

  it('that has gone is passed over', async () => {
    const all = admitAll(500);
    const done = add('a');
    readers.delete('c499');
    await done;
    expect([log.length, all[499]!.read]).toEqual([499, []]);
  });

  it('is not served with what comes later while it is served', async () => {
    admitAll(100);
    const serve = (reader: Reader) => {
      fanOuts.catchUp(reader.id);
      saying('a')(reader);
    };
    void fanOuts.add({ ids: readers, bytes: 1, serve });
    await add('b');
    expect(Array.from(readers.values(), ({ read }) => read.join())).toEqual(Array(100).fill('a,b'));
  });
});

describe('a publisher that is too fast', () => {
  it('carries out the oldest fan-outs itself from the 129th on', () => {
    admitAll(100);
    for (let nth = 1; nth <= 128; nth++) void add(`w${nth}`);
    const before = log.length;
    expect(before).toBeLessThan(64);
    void add('last');
    expect(log.filter((line) => line.startsWith('w1 '))).toHaveLength(100);
    expect(log.some((line) => line.startsWith('w3 '))).toBe(false);
  });

  it('carries them out itself when their texts have more than eight megabytes', () => {
    admitAll(100);
    void add('a', readers, 8_000_000);
    expect(log.length).toBeLessThan(100);
    void add('b', readers, 8_000_000);
    expect(log.filter((line) => line.startsWith('a '))).toHaveLength(100);
  });
});

describe('whatever happens between slices', () => {
  /** A generator of pseudo-random numbers below `limit`. */
  const dice = (seed: number) => (limit: number) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed % limit;
  };

  /**
   * Lets readers come, go, enter and leave three topics while much is said.
   * @returns what each reader has read, and what it would have read without slices
   */
  async function play(seed: number, catchUp: (id: string) => void): Promise<[read: string[], expected: string[]]> {
    const roll = dice(seed);
    const topics = [new Set<string>(), new Set<string>(), new Set<string>()];
    const all: Reader[] = [];
    const expected: string[][] = [];
    const enter = () => {
      all.push(admit(`c${all.length}`));
      expected.push([]);
    };
    const say = (ids: ReadonlySet<string> | ReadonlyMap<string, Reader>, word: string) => {
      all.forEach(({ id }, nth) => void (readers.has(id) && ids.has(id) && expected[nth]!.push(word)));
      void add(word, ids);
    };
    for (let n = 0; n < 60; n++) enter();
    for (let step = 0; step < 600; step++) {
      const nth = roll(all.length);
      const { id, read } = all[nth]!;
      const topic = topics[roll(3)]!;
      const word = `${step}`;
      const kind = roll(9);
      if (kind === 0) say(readers, word);
      else if (kind < 3) say(topic, word);
      else if (kind === 3) say(new Set(Array.from(topic).filter((each) => each !== id)), word);
      else if (kind === 4 && roll(4) === 0) enter();
      if (kind === 5 && roll(3) === 0) await nextTurn();
      if (kind < 6 || !readers.has(id)) continue;
      catchUp(id);
      if (kind === 6) topic.add(id);
      else if (kind === 7) topic.delete(id);
      else if (roll(8) === 0) {
        for (const each of topics) each.delete(id);
        readers.delete(id);
      } else {
        read.push(word);
        expected[nth]!.push(word);
      }
    }
    await settled();
    return [all.map((reader) => reader.read.join()), expected.map((words) => words.join())];
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('everybody reads what they would read without slices (%i)', async (seed) => {
    const [read, expected] = await play(seed, (id) => fanOuts.catchUp(id));
    expect(read).toEqual(expected);
    expect(log.length).toBeGreaterThan(3_000);
  });

  it('they would read something else if nobody had to catch up', async () => {
    const [read, expected] = await play(1, () => undefined);
    expect(read).not.toEqual(expected);
  });
});
