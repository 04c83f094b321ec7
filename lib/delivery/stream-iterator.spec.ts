import { PassThrough, Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, it } from 'vitest';
import { streamIteratorOf } from './stream-iterator.js';

describe('the iterator of a source', () => {
  it('is that of a generator itself', async () => {
    const generator = (async function* () {
      yield 1;
    })();
    expect(streamIteratorOf(generator)).toBe(generator);
  });

  it('reads a Readable to its end', async () => {
    const iterator = streamIteratorOf(Readable.from(['a']));
    expect([await iterator.next(), await iterator.next()]).toMatchObject([{ value: 'a' }, { done: true }]);
  });

  it('ends a Readable that waits for a chunk, at once and without an error of its own', async () => {
    const readable = new PassThrough({ objectMode: true });
    const iterator = streamIteratorOf(readable);
    const next = iterator.next().catch((error: Error) => error.message);
    await iterator.return!();
    expect(readable.destroyed).toBe(true);
    await next;
    readable.emit('error', new Error('late'));
  });

  it('reads a web stream to its end', async () => {
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue('a');
        controller.close();
      },
    });
    const iterator = streamIteratorOf(stream);
    expect([await iterator.next(), await iterator.next()]).toMatchObject([{ value: 'a' }, { done: true }]);
  });

  it('cancels a web stream that waits for a chunk, at once', async () => {
    let isCancelled = false;
    const iterator = streamIteratorOf(new ReadableStream({ cancel: () => void (isCancelled = true) }));
    const next = iterator.next();
    await iterator.return!();
    expect([isCancelled, await next]).toMatchObject([true, { done: true }]);
  });

  it.each([undefined, null, 'text', [1], new Map(), Promise.resolve([])])('is refused for %o', (value) => {
    expect(() => streamIteratorOf(value as never)).toThrow('must return an AsyncIterable');
  });
});
