/** The parts of Node's `Readable` that are used. */
interface ReadableLike {
  destroy(): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/** The parts of a web `ReadableStream` that are used. */
interface WebStreamLike {
  getReader(): { read(): Promise<IteratorResult<unknown>>; cancel(): Promise<void> };
}

/**
 * Opens what a source has returned. `return()` of the iterator ends a Node `Readable` and a web `ReadableStream` at once; their own
 * iterators would wait for the next chunk first, which may never come.
 * @throws TypeError if it is no `AsyncIterable`
 */
export function streamIteratorOf(source: AsyncIterable<unknown>): AsyncIterator<unknown> {
  // JavaScript callers may return anything.
  if (typeof source === 'object' && source !== null) {
    if (isWebStream(source)) return ofWebStream(source);
    const { [Symbol.asyncIterator]: open } = source as Partial<AsyncIterable<unknown>>;
    if (typeof open === 'function') {
      const iterator = open.call(source);
      return isReadable(source) ? ofReadable(source, iterator) : iterator;
    }
  }
  throw new TypeError('The source of a stream must return an AsyncIterable, as an async generator does.');
}

function ofWebStream(stream: WebStreamLike): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    next: () => reader.read(),
    async return() {
      await reader.cancel();
      return OVER;
    },
  };
}

function ofReadable(readable: ReadableLike, iterator: AsyncIterator<unknown>): AsyncIterator<unknown> {
  return {
    next: () => iterator.next(),
    async return() {
      // Without a listener, an error of a stream that nobody reads would end the process.
      readable.on('error', () => undefined);
      readable.destroy();
      return OVER;
    },
  };
}

const OVER: IteratorResult<unknown> = { done: true, value: undefined };

function isWebStream(source: object): source is object & WebStreamLike {
  return typeof (source as Partial<WebStreamLike>).getReader === 'function';
}

function isReadable(source: object): source is object & ReadableLike {
  const { destroy, on } = source as Partial<ReadableLike>;
  return typeof destroy === 'function' && typeof on === 'function';
}
