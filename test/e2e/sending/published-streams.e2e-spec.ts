import { NotFoundException } from '@nestjs/common';
import { OnSubscribe, TopicGateway, type TopicStream } from 'nestjs-realtime';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Stage, type StageGuest } from '../../helpers/stage.js';

@TopicGateway('chat:{id}', { history: { size: 2_000, ttlMs: 60_000 } })
class Chat {
  @OnSubscribe()
  join() {
    return true;
  }
}

@TopicGateway('fleeting:{id}')
class Fleeting {}

const stage = Stage.shared({ providers: [Chat, Fleeting], options: { limits: { maxHistoryPage: 2_000 } } });

let last = 0;
/** A topic that no other test has used. */
const fresh = () => `chat:${++last}`;

/** The node that starts streams, and, where there are several, one that does not. */
const here = () => stage.nodes[0]!.realtime;
const elsewhere = () => stage.nodes.at(-1)!.realtime;

/** What stands in a publication. */
interface Piece {
  readonly id: string;
  readonly seq: number;
  readonly items?: readonly unknown[];
  readonly end?: true;
  readonly stopped?: true;
  readonly error?: string;
}

/** What a reader gets of a stream that begins after it has subscribed, up to its end. */
async function piecesOf(guest: StageGuest, type = 'stream'): Promise<Piece[]> {
  const pieces: Piece[] = [];
  do pieces.push((await guest.next(type)).payload as Piece);
  while (pieces.at(-1)!.items);
  return pieces;
}

async function subscribe(guest: StageGuest, topic: string, recover?: unknown): Promise<void> {
  const answer = await guest.request({ action: 'subscribe', topic, ...(recover ? { recover } : {}) });
  expect(answer.type).toBe('realtime:subscribed');
}

async function readerOf(topic: string, name = 'ann'): Promise<StageGuest> {
  const guest = await stage.connectAs(name);
  await subscribe(guest, topic);
  return guest;
}

const textOf = (pieces: readonly Piece[]) => pieces.flatMap(({ items = [] }) => items).join('');

const expectNumbered = (pieces: readonly Piece[]) =>
  expect(pieces.map(({ seq }) => seq)).toEqual(pieces.map((_, n) => n));

/** Yields words, and after each waits for `goOn`. */
function wordsUntil(goOn: Promise<unknown>, ...words: readonly string[]) {
  return async function* (): AsyncGenerator<string> {
    for (const word of words) {
      yield word;
      await goOn;
    }
  };
}

/** A promise to be kept later. */
function later<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((keep) => (resolve = keep));
  return { promise, resolve };
}

/** A source that yields once and then waits for a token that never comes. */
function stuckSource() {
  const ended = later();
  const aborted = later();
  async function* source(signal: AbortSignal): AsyncGenerator<string> {
    try {
      signal.addEventListener('abort', () => aborted.resolve());
      yield 'so far';
      await once(signal, 'abort');
      yield 'too late';
    } finally {
      ended.resolve();
    }
  }
  return { source, ended: ended.promise, aborted: aborted.promise };
}

describe('a published stream', () => {
  it('brings text that was joined, numbered from 0, and an end', async () => {
    const topic = fresh();
    const readers = [await readerOf(topic, 'ann'), await readerOf(topic, 'bob'), await readerOf(topic, 'cid')];
    const stream = await here().stream(topic, async function* () {
      for (const token of ['Hello', ', ', 'wörld', ' 😀']) yield token;
    });
    for (const reader of readers) {
      expect(await piecesOf(reader)).toEqual([
        { id: stream.id, seq: 0, items: ['Hello, wörld 😀'] },
        { id: stream.id, seq: 1, end: true },
      ]);
    }
    expect(await stream.done).toEqual({ reason: 'end', pieces: 1 });
  });

  it('brings other items as they are, in a type and with an id of the application', async () => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const options = { id: 'job:7', type: 'progress' };
    const stream = await here().stream(topic, () => Readable.from([{ done: 1 }, 'half', ' way', { done: 2 }]), options);
    expect(stream.id).toBe('job:7');
    expect(await piecesOf(reader, 'progress')).toEqual([
      { id: 'job:7', seq: 0, items: [{ done: 1 }, 'half way', { done: 2 }] },
      { id: 'job:7', seq: 1, end: true },
    ]);
  });

  it('publishes what was collected when its time is over, and when it is full', async () => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const goOn = later();
    const words = ['12345678', '9', 'ab', 'c'];
    await here().stream(topic, wordsUntil(goOn.promise, ...words), { maxBytes: 8, flushMs: 20 });
    expect((await reader.next('stream')).payload.items).toEqual(['12345678']);
    goOn.resolve();
    const pieces = await piecesOf(reader);
    expect(textOf(pieces)).toBe('9abc');
    expect(pieces.map(({ seq }) => seq)).toEqual(pieces.map((_, n) => n + 1));
  });

  it('is seen as a whole by a reader who comes when it is over', async () => {
    const topic = fresh();
    const { epoch } = await here().history(topic, { limit: 0 });
    const source = async function* () {
      for (let n = 0; n < 1_000; n++) yield `${n} `;
    };
    const stream = await here().stream(topic, source, { maxBytes: 16 });
    await stream.done;
    const reader = await stage.connectAs('late');
    await subscribe(reader, topic, { epoch, offset: 0 });
    const pieces = await piecesOf(reader);
    expectNumbered(pieces);
    expect(textOf(pieces)).toBe(Array.from({ length: 1_000 }, (_, n) => `${n} `).join(''));
  });

  it('is seen once and in order by a reader who reconnects to another node while it flows', async () => {
    const topic = fresh();
    const { epoch } = await here().history(topic, { limit: 0 });
    const source = async function* () {
      for (let n = 0; n < 60; n++) {
        yield `${n} `;
        await delay(3);
      }
    };
    await here().stream(topic, source, { flushMs: 5 });
    const pieces: Piece[] = [];
    let offset = 0;
    while (pieces.at(-1)?.end !== true) {
      const reader = await stage.connectAs('ann');
      await subscribe(reader, topic, { epoch, offset });
      for (let n = 0; n < 4 && pieces.at(-1)?.end !== true; n++) {
        const frame = await reader.next('stream');
        pieces.push(frame.payload as Piece);
        offset = frame.offset!;
      }
      await reader.close();
    }
    expectNumbered(pieces);
    expect(textOf(pieces)).toBe(Array.from({ length: 60 }, (_, n) => `${n} `).join(''));
  });

  it('goes on when the connection that asked for it is gone', async () => {
    const topic = fresh();
    const goOn = later();
    const asker = await readerOf(topic, 'asker');
    const stream = await here().stream(topic, wordsUntil(goOn.promise, 'a', 'b'), { flushMs: 0 });
    await asker.next('stream');
    await asker.close();
    goOn.resolve();
    expect((await stream.done).reason).toBe('end');
  });

  it('tells clients of a failed source what the package tells of any failure', async () => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const failing = (error: Error) =>
      async function* () {
        yield 'so far';
        throw error;
      };
    const secret = await here().stream(topic, failing(new Error('password of the database')));
    const pieces = await piecesOf(reader);
    const told = await here().stream(topic, failing(new NotFoundException('There is no such model.')));
    expect([...pieces, ...(await piecesOf(reader))]).toEqual([
      { id: secret.id, seq: 0, items: ['so far'] },
      { id: secret.id, seq: 1, error: 'The server failed to handle this; its log has the reason.' },
      { id: told.id, seq: 0, items: ['so far'] },
      { id: told.id, seq: 1, error: 'There is no such model.' },
    ]);
    expect([await secret.done, await told.done]).toEqual([
      { reason: 'error', pieces: 1 },
      { reason: 'error', pieces: 1 },
    ]);
  });

  it.each<[what: string, source: () => AsyncIterable<unknown>]>([
    ['an item that JSON would lose', () => Readable.from(['a', new Map()])],
    ['a chunk of bytes', () => Readable.from(['a', Buffer.from('b')])],
  ])('ends with an error at %s, behind what came before it', async (_what, source) => {
    const topic = fresh();
    const reader = await readerOf(topic);
    await here().stream(topic, source);
    expect(await piecesOf(reader)).toMatchObject([{ items: ['a'] }, { seq: 1, error: expect.any(String) }]);
  });

  it.each<[what: string, source: () => AsyncIterable<unknown>]>([
    [
      'throws at once',
      () => {
        throw new Error('at once');
      },
    ],
    ['returns nothing that can be iterated', () => [1, 2] as never],
    [
      'rejects its first item',
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('first')) }) }),
    ],
  ])('ends with an error when its source %s', async (_what, source) => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const { done } = await here().stream(topic, source);
    expect(await piecesOf(reader)).toMatchObject([{ seq: 0, error: expect.any(String) }]);
    expect(await done).toEqual({ reason: 'error', pieces: 0 });
  });
});

describe('stopping a stream', () => {
  it('from another node aborts the signal, runs the finally of the source, and publishes what was there and an end', async () => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const { source, ended, aborted } = stuckSource();
    const { done } = await here().stream(topic, source, { id: 'answer', flushMs: 10_000 });
    expect(await elsewhere().stopStream(topic, 'answer')).toBe(true);
    await Promise.all([aborted, ended]);
    expect(await piecesOf(reader)).toEqual([
      { id: 'answer', seq: 0, items: ['so far'] },
      { id: 'answer', seq: 1, end: true, stopped: true },
    ]);
    expect(await done).toEqual({ reason: 'stopped', pieces: 1 });
  });

  it('is not held up by a source that ignores its signal, and drops what still comes', async () => {
    const topic = fresh();
    const reader = await readerOf(topic);
    const goOn = later();
    const stream = await here().stream(topic, wordsUntil(goOn.promise, 'a', 'b'), { flushMs: 0 });
    await reader.next('stream');
    await stream.stop();
    expect(await stream.done).toEqual({ reason: 'stopped', pieces: 1 });
    expect(await piecesOf(reader)).toMatchObject([{ seq: 1, end: true }]);
    goOn.resolve();
    await here().publish(topic, { type: 'after' });
    await reader.next('after');
    expect(reader.pending.filter(({ type }) => type === 'stream')).toEqual([]);
  });

  it('says that there is none when it has ended, never was, or is of another topic', async () => {
    const topic = fresh();
    const { done } = await here().stream(topic, async function* () {}, { id: 'short' });
    await done;
    const { source } = stuckSource();
    const stuck = await here().stream(topic, source, { id: 'stuck' });
    const stops = [
      here().stopStream(topic, 'short'),
      elsewhere().stopStream(topic, 'short'),
      elsewhere().stopStream(topic, 'never'),
      elsewhere().stopStream(fresh(), 'stuck'),
    ];
    expect(await Promise.all(stops)).toEqual([false, false, false, false]);
    await stuck.stop();
    await stuck.done;
  });
});

describe('an id', () => {
  it('that runs is not started again, on this node or on another one', async () => {
    const topic = fresh();
    const goOn = later();
    const first = await here().stream(topic, wordsUntil(goOn.promise, 'a', 'b'), { id: 'answer' });
    const again = await here().stream(topic, neverCalled, { id: 'answer' });
    const other = await elsewhere().stream(topic, neverCalled, { id: 'answer' });
    expect([again.id, other.id]).toEqual(['answer', 'answer']);
    goOn.resolve();
    expect(await Promise.all([first, again, other].map(({ done }) => done))).toEqual(
      Array.from({ length: 3 }, () => ({ reason: 'end', pieces: 1 })),
    );
  });

  it('that all nodes start at the same time is started by one of them', async () => {
    for (let round = 0; round < 5; round++) {
      const topic = fresh();
      const reader = await readerOf(topic, `reader-${round}`);
      const goOn = later();
      let calls = 0;
      const source = async function* () {
        calls += 1;
        yield 'once';
        await goOn.promise;
      };
      const starts = [...stage.nodes, ...stage.nodes].map(({ realtime }) =>
        realtime.stream(topic, source, { id: 'x' }),
      );
      const streams = await Promise.all(starts);
      goOn.resolve();
      expect(await piecesOf(reader)).toMatchObject([
        { seq: 0, items: ['once'] },
        { seq: 1, end: true },
      ]);
      const outcomes = await Promise.all(streams.map(({ done }) => done));
      expect(outcomes).toEqual(outcomes.map(() => ({ reason: 'end', pieces: 1 })));
      expect(calls).toBe(1);
    }
  });

  it('runs once in each of two topics', async () => {
    const topics = [fresh(), fresh()];
    const streams: TopicStream[] = [];
    for (const topic of topics) streams.push(await here().stream(topic, stuckSource().source, { id: 'answer' }));
    expect(await elsewhere().stopStream(topics[1]!, 'answer')).toBe(true);
    expect((await streams[1]!.done).reason).toBe('stopped');
    expect(await elsewhere().stopStream(topics[0]!, 'answer')).toBe(true);
    expect((await streams[0]!.done).reason).toBe('stopped');
  });

  it('may be used again after its end, on any node', async () => {
    const topic = fresh();
    for (const realtime of [here(), elsewhere(), here()]) {
      const reader = await readerOf(topic);
      const { done } = await realtime.stream(
        topic,
        async function* () {
          yield 'again';
        },
        { id: 'answer' },
      );
      expect(await piecesOf(reader)).toMatchObject([
        { seq: 0, items: ['again'] },
        { seq: 1, end: true },
      ]);
      await done;
      await reader.close();
    }
  });

  it('is random by default', async () => {
    const topic = fresh();
    const [a, b] = [await here().stream(topic, neverEmpty), await here().stream(topic, neverEmpty)];
    expect(a.id).not.toBe(b.id);
  });
});

it('a topic without a history is refused, with the cure', async () => {
  await expect(here().stream('fleeting:1', neverCalled)).rejects.toThrow('add { history } to the @TopicGateway()');
});

it('clients reach nothing of what nodes tell each other about streams', async () => {
  const topic = fresh();
  const stream = await here().stream(topic, stuckSource().source, { id: 'answer' });
  const guest = await stage.connectAs('ann');
  for (const action of ['subscribe', 'presence', 'history']) {
    const answer = await guest.request({ action, topic: `#stream:${topic} answer` });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'VALIDATION_FAILED' } });
  }
  await stream.stop();
  await stream.done;
});

// oxlint-disable-next-line require-yield -- it must not even begin
async function* neverCalled(): AsyncGenerator<string> {
  throw new Error('A stream that runs was started again.');
}

async function* neverEmpty(): AsyncGenerator<string> {
  yield 'a';
}
