import { PassThrough, Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { StreamableFile } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { streamSourceOf } from './stream-source.js';

/** All items, as a consumer takes them. */
async function itemsOf(output: unknown): Promise<unknown[]> {
  const items = streamSourceOf(output)!.open();
  const taken: unknown[] = [];
  for (let next = await items.next(); !next.done; next = await items.next()) taken.push(next.value);
  return taken;
}

class Counter {
  #left = 2;

  async *[Symbol.asyncIterator]() {
    while (this.#left > 0) yield (this.#left -= 1);
  }
}

async function* two() {
  yield 1;
  yield 2;
}

const webStream = (...chunks: unknown[]) =>
  new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });

describe('what a handler streams with', () => {
  it.each([
    ['an async generator', () => two(), [1, 2]],
    ['a generator', () => syncTwo(), [1, 2]],
    ['a generator of promises', () => promises(), [1, 2]],
    ['an instance with a state of its own', () => new Counter(), [1, 0]],
    ['an iterator without return()', () => bare(), [1]],
    ['a Readable of objects', () => Readable.from([{ n: 1 }, 2]), [{ n: 1 }, 2]],
    ['a Readable of text', () => Readable.from([Buffer.from('ab')], { objectMode: false }).setEncoding('utf8'), ['ab']],
    ['a web stream', () => webStream('a', 'b'), ['a', 'b']],
    ['a web stream without an async iterator', () => withoutAsyncIterator(webStream('a')), ['a']],
    ['an async generator of another realm', () => runInNewContext('(async function* () { yield 1; })()'), [1]],
    ['a generator of another realm', () => runInNewContext('(function* () { yield 1; })()'), [1]],
  ])('is %s', async (_what, make, items) => {
    expect(await itemsOf(make())).toEqual(items);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a text', 'text'],
    ['a number', 1],
    ['an array', [1, 2]],
    ['a Map', new Map([[1, 2]])],
    ['a Set', new Set([1])],
    ['an iterator of an array', [1].values()],
    ['an object with a method next()', { next: () => undefined }],
    ['a function', () => undefined],
    ['a Date', new Date(0)],
  ])('is not %s, which stays a value', (_what, value) => {
    expect(streamSourceOf(value)).toBeUndefined();
  });
});

describe('bytes', () => {
  it.each([
    ['a Buffer', () => Buffer.from('a'), /bytes; send text/],
    ['a typed array', () => new Uint16Array(1), /bytes; send text/],
    ['an ArrayBuffer', () => new ArrayBuffer(1), /bytes; send text/],
    ['an ArrayBuffer of another realm', () => runInNewContext('new ArrayBuffer(1)'), /bytes; send text/],
    ['a StreamableFile', () => new StreamableFile(Buffer.from('a')), /a StreamableFile, which is for HTTP/],
    ['a Readable of bytes', () => new PassThrough(), /a byte stream; call setEncoding\("utf8"\)/],
  ])('are refused with the cure: %s', (_what, make, text) => {
    expect(() => streamSourceOf(make())).toThrow(text);
  });

  it.each([
    ['a StreamableFile', (readable: Readable) => new StreamableFile(readable)],
    ['a Readable', (readable: Readable) => readable],
  ])('that were opened are closed: %s', (_what, wrap) => {
    const readable = new PassThrough();
    expect(() => streamSourceOf(wrap(readable))).toThrow(TypeError);
    expect(readable.destroyed).toBe(true);
  });
});

describe('a stream that is ended while an item is awaited', () => {
  it('ends at once when it is a Readable', async () => {
    const readable = new PassThrough({ objectMode: true });
    const items = streamSourceOf(readable)!.open();
    const item = items.next();
    void items.stop();
    await expect(item).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(readable.destroyed).toBe(true);
  });

  it('ends at once when it is a web stream', async () => {
    let cancelled = false;
    const stream = new ReadableStream({ cancel: () => void (cancelled = true) });
    const items = streamSourceOf(stream)!.open();
    const item = items.next();
    await items.stop();
    expect([(await item).done, cancelled]).toEqual([true, true]);
  });
});

describe('a stream that is given up before it began', () => {
  it('is destroyed when it is a Readable, and its errors end nothing', () => {
    const readable = new PassThrough({ objectMode: true });
    streamSourceOf(readable)!.discard();
    expect(readable.destroyed).toBe(true);
    expect(() => readable.emit('error', new Error('late'))).not.toThrow();
  });

  it('is cancelled when it is a web stream', async () => {
    let cancelled = false;
    await streamSourceOf(new ReadableStream({ cancel: () => void (cancelled = true) }))!.discard();
    expect(cancelled).toBe(true);
  });

  it('is closed when it is a generator, whose body never runs', async () => {
    let ran = false;
    const generator = (async function* () {
      ran = true;
      yield 1;
    })();
    await streamSourceOf(generator)!.discard();
    expect([await generator.next(), ran]).toEqual([{ done: true, value: undefined }, false]);
  });

  it('is not asked for an iterator', () => {
    let asked = false;
    const iterable = {
      [Symbol.asyncIterator]() {
        asked = true;
        return two();
      },
    };
    streamSourceOf(iterable)!.discard();
    expect(asked).toBe(false);
  });
});

describe('a generator that yields a rejected promise', () => {
  it('fails, and its finally runs', async () => {
    let ended = false;
    const items = streamSourceOf(
      (function* () {
        try {
          yield Promise.reject(new Error('no'));
        } finally {
          ended = true;
        }
      })(),
    )!.open();
    await expect(items.next()).rejects.toThrow('no');
    expect(ended).toBe(true);
  });
});

function* syncTwo() {
  yield 1;
  yield 2;
}

function* promises() {
  yield Promise.resolve(1);
  yield 2;
}

function bare() {
  let left = 1;
  const next = async () => (left-- > 0 ? { done: false, value: 1 } : { done: true, value: undefined });
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** As polyfills and older browsers have them. */
function withoutAsyncIterator(stream: ReadableStream): object {
  return { getReader: () => stream.getReader(), cancel: () => stream.cancel() };
}
