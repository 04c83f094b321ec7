import { explainUnsendable } from './unsendable.js';

/** The source of the items of a stream: the value that a handler has returned, before the first item. */
export interface StreamSource {
  /** Begins. Called once. */
  open(): ItemIterator;
  /** Gives it up without having begun. */
  discard(): unknown;
}

/** The items of a stream, one by one. */
export interface ItemIterator {
  /** Asks for the next item; it is not called again before its result is there. */
  next(): Promise<IteratorResult<unknown>>;
  /** Ends it early; a promise settles when it has ended. It may be called while an item is awaited. */
  stop(): unknown;
}

type Loose = Readonly<Record<PropertyKey, unknown>>;

/** The parts of Node's `Readable` that are used; streams of another realm or package are recognised, too. */
interface ReadableLike extends AsyncIterable<unknown> {
  readonly readableObjectMode: boolean;
  readonly readableEncoding: string | null;
  destroy(): unknown;
  on(event: 'error', listener: () => void): unknown;
}

/** The parts of a web `ReadableStream` that are used. */
interface WebStreamLike {
  getReader(): { read(): Promise<IteratorResult<unknown>>; cancel(): Promise<void> };
  cancel(): Promise<void>;
}

const READ_AS_TEXT = 'a byte stream; call setEncoding("utf8") for its text, or send a URL to download from';

/**
 * Recognises what a handler streams with: a Node `Readable` in object or text mode, a web `ReadableStream`, any other
 * `AsyncIterable`, or a generator object. Arrays, strings, Maps and everything else are values.
 * @returns nothing for a value
 * @throws TypeError for bytes, with the cure
 */
export function streamSourceOf(output: unknown): StreamSource | undefined {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return undefined;
  const unsendable = explainUnsendable(output);
  const loose = output as Loose;
  if (unsendable !== undefined) {
    if (typeof loose['getStream'] === 'function') giveUp(loose['getStream']() as ReadableLike);
    throw new TypeError(`The handler returned ${unsendable}.`);
  }
  if (typeof loose['getReader'] === 'function') return ofWebStream(output as WebStreamLike);
  if (typeof loose[Symbol.asyncIterator] === 'function') {
    return 'readableObjectMode' in output
      ? ofReadable(output as ReadableLike)
      : ofAsyncIterable(output as AsyncIterable<unknown>);
  }
  return isGenerator(output) ? ofGenerator(output as Generator) : undefined;
}

/** True for the object that calling a generator function gives, sync or async; nothing of its body has run. */
export function isGenerator(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || typeof (value as Loose)['next'] !== 'function') return false;
  // By name: generators of another realm have other prototypes.
  return /^\[object (?:Async)?Generator\]$/.test(Object.prototype.toString.call(value));
}

function ofAsyncIterable(iterable: AsyncIterable<unknown>): StreamSource {
  return {
    open() {
      const iterator = iterable[Symbol.asyncIterator]();
      return { next: () => Promise.resolve(iterator.next()), stop: () => iterator.return?.() };
    },
    discard: () => {
      const { return: end } = iterable as Partial<AsyncGenerator>;
      return end?.call(iterable, undefined);
    },
  };
}

/** The async iterator of a Readable waits for the next chunk before it ends; `destroy()` ends it at once. */
function ofReadable(readable: ReadableLike): StreamSource {
  const discard = () => giveUp(readable);
  if (!readable.readableObjectMode && readable.readableEncoding === null) {
    discard();
    throw new TypeError(`The handler returned ${READ_AS_TEXT}.`);
  }
  return {
    open() {
      const iterator = readable[Symbol.asyncIterator]();
      return {
        next: () => iterator.next(),
        stop() {
          discard();
          return iterator.return?.();
        },
      };
    },
    discard,
  };
}

function giveUp(readable: ReadableLike): void {
  // Without a listener, an error of a stream that nobody reads would end the process.
  readable.on('error', () => undefined);
  readable.destroy();
}

/** The reader of a web stream is cancelled while it waits for a chunk; its async iterator would wait for the chunk first. */
function ofWebStream(stream: WebStreamLike): StreamSource {
  return {
    open() {
      const reader = stream.getReader();
      return { next: () => reader.read(), stop: () => reader.cancel() };
    },
    discard: () => stream.cancel(),
  };
}

/** Promises that it yields are awaited, as `for await` does. */
function ofGenerator(generator: Generator): StreamSource {
  return {
    open: () => ({
      async next() {
        const step = generator.next();
        if (step.done) return step;
        try {
          return { done: false, value: await step.value };
        } catch (error) {
          generator.return(undefined);
          throw error;
        }
      },
      stop: () => generator.return(undefined),
    }),
    discard: () => generator.return(undefined),
  };
}
