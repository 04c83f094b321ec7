import 'reflect-metadata';
import { PassThrough } from 'node:stream';
import { UseInterceptors, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import { map, take, timeout, type Observable } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  answers,
  bootHandlers,
  collectLogs,
  connectionOf,
  RecordingSink,
  send,
} from '../../test/helpers/handler-harness.js';
import { CancelSignal } from '../decorators/cancel-signal.decorator.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeCancelledError } from '../errors/realtime-cancelled.error.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { HandlerDispatcher } from './handler.dispatcher.js';
import type { MessageRun } from './reply-sink.js';

const through = (change: (output$: Observable<unknown>) => Observable<unknown>): NestInterceptor => ({
  intercept: (_context: ExecutionContext, next: CallHandler) => change(next.handle()),
});

/** Lets everything happen that can happen without the outside. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const forever = new Promise<never>(() => undefined);

/** What happens in the handlers, in order. */
let log: string[];
let release: () => void;
let released: Promise<void>;
let end: () => void;
let dispatcher: HandlerDispatcher;

/** A generator that logs its end. */
async function* logged(items: readonly unknown[], last: () => Promise<unknown> = async () => undefined) {
  try {
    for (const item of items) {
      log.push(`yields ${String(item)}`);
      yield item;
    }
    await last();
  } finally {
    log.push('ended');
  }
}

/** Settles when the signal is aborted, as a `fetch` does. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener('abort', () => {
      log.push(`aborted: ${(signal.reason as RealtimeCancelledError).reason}`);
      reject(signal.reason as Error);
    }),
  );
}

@TopicGateway('chat:{room}')
class PulledTopic {
  @OnSubscribe()
  async *join() {
    yield true;
  }

  @OnMessage('two')
  async *two() {
    yield 1;
    yield 2;
  }

  @OnMessage('two-later')
  async twoLater() {
    return logged([1, 2]);
  }

  @OnMessage('sync')
  *sync() {
    yield 1;
    yield 2;
  }

  @OnMessage('array')
  array() {
    return [1, 2];
  }

  @OnMessage('doubled')
  @UseInterceptors(through((output$) => output$.pipe(map((value) => Number(value) * 2))))
  async *doubled() {
    yield 1;
    yield 2;
  }

  @OnMessage('first-only')
  @UseInterceptors(through((output$) => output$.pipe(take(1))))
  firstOnly(@CancelSignal() signal: AbortSignal) {
    return logged([1, 2], () => aborted(signal));
  }

  @OnMessage('impatient')
  @UseInterceptors(through((output$) => output$.pipe(timeout(5))))
  async impatient(@CancelSignal() signal: AbortSignal) {
    await aborted(signal);
  }

  @OnMessage('fails-first')
  failsFirst() {
    return {
      [Symbol.asyncIterator]: () => ({
        next() {
          throw new RealtimeError('UNAVAILABLE', 'Gone.');
        },
      }),
    };
  }

  @OnMessage('fails-later')
  async *failsLater() {
    yield 1;
    throw new RealtimeError('UNAVAILABLE', 'Gone.');
  }

  @OnMessage('no-iterator')
  noIterator() {
    return { [Symbol.asyncIterator]: () => undefined };
  }

  @OnMessage('no-object')
  noObject() {
    return { [Symbol.asyncIterator]: () => ({ next: async () => 'nothing' }) };
  }

  @OnMessage('bytes')
  bytes() {
    return logged(['text', Buffer.from('a'), 'never']);
  }

  @OnMessage('waits')
  waits(@CancelSignal() signal: AbortSignal) {
    return logged([1], () => aborted(signal));
  }

  @OnMessage('ignores')
  async *ignores() {
    try {
      yield 1;
      await released;
      yield 'late';
    } finally {
      log.push('ended');
    }
  }

  @OnMessage('fails-after-cancel')
  async *failsAfterCancel() {
    yield 1;
    await released;
    throw new TypeError('secret');
  }

  @OnMessage('return-throws')
  async *returnThrows() {
    try {
      yield 1;
      yield 2;
    } finally {
      log.push('throws');
      // oxlint-disable-next-line no-unsafe-finally -- the case
      throw new TypeError('secret');
    }
  }

  @OnMessage('return-hangs')
  async *returnHangs() {
    try {
      yield 1;
      yield 2;
    } finally {
      await forever;
    }
  }

  @OnMessage('own-end')
  *ownEnd() {
    try {
      yield 1;
      end();
      yield 2;
    } finally {
      log.push('ended');
    }
  }

  @OnMessage('pipe')
  pipe() {
    const readable = new PassThrough({ objectMode: true });
    readable.write('a');
    readable.on('close', () => log.push('closed'));
    return readable;
  }

  @OnMessage('late-pipe')
  async latePipe() {
    await released;
    return this.pipe();
  }

  @OnMessage('value')
  async value(@CancelSignal() signal: AbortSignal) {
    await aborted(signal);
  }

  @OnMessage('value-that-fails')
  async valueThatFails(@CancelSignal() signal: AbortSignal) {
    await aborted(signal).catch(() => undefined);
    throw new TypeError('secret');
  }
}

beforeEach(async () => {
  log = [];
  end = () => undefined;
  released = new Promise((resolve) => (release = resolve));
  dispatcher = await bootHandlers({ providers: [PulledTopic] });
});

const GONE = { code: 'UNAVAILABLE', message: 'Gone.', action: 'message', topic: 'chat:lobby' };

/** Sends a message whose stream has given its first item. */
async function begun(type: string) {
  const sent = send(dispatcher, type);
  await expect.poll(() => sent.sink.calls).toEqual([{ item: type === 'pipe' ? 'a' : 1 }]);
  return sent;
}

/** Sends a message whose stream has given its first item and waits for room. */
async function held(type: string) {
  const sink = new RecordingSink();
  sink.room = () => (sink.calls.length > 0 ? forever : undefined);
  const command = { action: 'message', topic: 'chat:lobby', type } as const;
  const run = dispatcher.message(connectionOf('ann'), command, true, sink);
  await expect.poll(() => sink.calls).toEqual([{ item: 1 }]);
  return { run, sink };
}

describe('a stream that a handler returns', () => {
  it.each(['two', 'two-later', 'sync'])('is a reply for each item, and a completion (%s)', async (type) => {
    expect(await answers(dispatcher, type)).toEqual([{ item: 1 }, { item: 2 }, { complete: true }]);
  });

  it('is a reply for everything that an interceptor makes of it', async () => {
    expect(await answers(dispatcher, 'doubled')).toEqual([{ item: 2 }, { item: 4 }, { complete: true }]);
  });

  it('is no array, which is one reply', async () => {
    expect(await answers(dispatcher, 'array')).toEqual([{ value: [1, 2] }]);
  });

  it('ends with the error that it fails with, after its items', async () => {
    expect(await answers(dispatcher, 'fails-later')).toEqual([{ item: 1 }, { error: GONE }]);
  });

  it('is an error when it fails before the first item', async () => {
    expect(await answers(dispatcher, 'fails-first')).toEqual([{ error: GONE }]);
  });

  it.each(['no-iterator', 'no-object'])('is INTERNAL when it is none after all (%s)', async (type) => {
    collectLogs();
    expect(await answers(dispatcher, type)).toMatchObject([{ error: { code: 'INTERNAL' } }]);
  });

  it('ends with an error that names the item that is bytes, and the producer ends', async () => {
    const logs = collectLogs();
    expect(await answers(dispatcher, 'bytes')).toMatchObject([{ item: 'text' }, { error: { code: 'INTERNAL' } }]);
    await expect.poll(() => log.at(-1)).toBe('ended');
    expect(logs).toEqual([expect.stringContaining('Item 2 is bytes; send text')]);
  });

  it('is asked for one item at a time, and for none while there is no room', async () => {
    let free!: () => void;
    const sink = new RecordingSink();
    sink.room = () => (sink.calls.length === 1 ? new Promise((resolve) => (free = resolve)) : undefined);
    const command = { action: 'message', topic: 'chat:lobby', type: 'two-later' } as const;
    dispatcher.message(connectionOf('ann'), command, true, sink);
    await expect.poll(() => free).toBeDefined();
    await turn();
    const before = [...log];
    sink.room = () => undefined;
    free();
    await sink.all();
    expect([before, log]).toEqual([['yields 1'], ['yields 1', 'yields 2', 'ended']]);
  });
});

describe('a cancel of a stream', () => {
  it('aborts the signal first, and then ends the producer, which waits for an item that never comes', async () => {
    const { run } = await begun('waits');
    await run.cancel('cancel');
    expect(log).toEqual(['yields 1', 'aborted: cancel', 'ended']);
  });

  it('ends a producer that waits for room', async () => {
    const { run } = await held('two-later');
    await run.cancel('leave');
    expect(log).toEqual(['yields 1', 'ended']);
  });

  it('is over for a producer that ignores it when its next item comes, which is dropped', async () => {
    const { run, sink } = await begun('ignores');
    let isOver = false;
    const left = run.cancel('cancel')!.then(() => (isOver = true));
    await turn();
    const early = isOver;
    release();
    await left;
    expect([early, log, sink.calls]).toEqual([false, ['ended'], [{ item: 1 }]]);
  });

  it('twice is one', async () => {
    const { run } = await begun('waits');
    void run.cancel('cancel');
    await run.cancel('disconnect');
    expect(log).toEqual(['yields 1', 'aborted: cancel', 'ended']);
  });

  it('is not over while the end of a producer hangs', async () => {
    const { run } = await held('return-hangs');
    let isOver = false;
    void run.cancel('cancel')!.then(() => (isOver = true));
    await turn();
    expect(isOver).toBe(false);
  });

  it('logs an end that throws, and answers nothing', async () => {
    const logs = collectLogs();
    const { run, sink } = await held('return-throws');
    await run.cancel('cancel');
    await expect
      .poll(() => logs)
      .toEqual([expect.stringContaining('PulledTopic.returnThrows failed\nTypeError: secret')]);
    expect(sink.calls).toEqual([{ item: 1 }]);
  });

  it('logs a producer that fails afterwards', async () => {
    const logs = collectLogs();
    const { run } = await begun('fails-after-cancel');
    void run.cancel('cancel');
    release();
    await expect.poll(() => logs).toEqual([expect.stringContaining('PulledTopic.failsAfterCancel failed')]);
  });

  it('logs nothing when the producer fails because of it', async () => {
    const logs = collectLogs();
    const { run } = await begun('waits');
    await run.cancel('cancel');
    await turn();
    expect(logs).toEqual([]);
  });

  it('destroys a Readable that waits for a chunk', async () => {
    const logs = collectLogs();
    const { run } = await begun('pipe');
    await run.cancel('disconnect');
    await expect.poll(() => log).toEqual(['closed']);
    expect(logs).toEqual([]);
  });

  it('destroys a Readable that the handler returns afterwards', async () => {
    const { run, sink } = send(dispatcher, 'late-pipe');
    void run.cancel('cancel');
    release();
    await run.released;
    await expect.poll(() => log).toEqual(['closed']);
    expect(sink.calls).toEqual([]);
  });

  it('from inside a generator ends it behind the item that it was asked for', async () => {
    const sink = new RecordingSink();
    let run: MessageRun | undefined;
    end = () => void run!.cancel('disconnect');
    const command = { action: 'message', topic: 'chat:lobby', type: 'own-end' } as const;
    run = dispatcher.message(connectionOf('ann'), command, true, sink);
    await expect.poll(() => log).toEqual(['ended']);
    expect(sink.calls).toEqual([{ item: 1 }]);
  });
});

describe('an interceptor that takes no more', () => {
  it('aborts the signal and ends the producer', async () => {
    expect(await answers(dispatcher, 'first-only')).toEqual([{ item: 1 }, { complete: true }]);
    await expect.poll(() => log).toEqual(['yields 1', 'ended']);
  });

  it('aborts the signal of a handler of one value that it waits for no longer', async () => {
    collectLogs();
    expect(await answers(dispatcher, 'impatient')).toMatchObject([{ error: { code: 'INTERNAL' } }]);
    await expect.poll(() => log).toEqual(['aborted: dropped']);
  });
});

describe('a handler of one value that takes the signal', () => {
  it('is cancelled, and its rejection is nobody’s business', async () => {
    const logs = collectLogs();
    const { run, sink } = send(dispatcher, 'value');
    await turn();
    void run.cancel('shutdown');
    await run.released;
    expect([log, sink.calls, logs]).toEqual([['aborted: shutdown'], [], []]);
  });

  it('is logged when it fails otherwise after a cancel', async () => {
    const logs = collectLogs();
    const { run } = send(dispatcher, 'value-that-fails');
    await turn();
    void run.cancel('cancel');
    await run.released;
    expect(logs).toEqual([expect.stringContaining('PulledTopic.valueThatFails failed')]);
  });

  it('ends with its topic, and one that does not take it goes on', async () => {
    const taking = send(dispatcher, 'value').run;
    const other = send(dispatcher, 'late-pipe').run;
    await turn();
    expect([taking.endsWithTopic, other.endsWithTopic]).toEqual([true, false]);
    void taking.cancel('cancel');
    void other.cancel('cancel');
  });
});

describe('a handler that takes no signal', () => {
  let made: number;

  beforeEach(() => {
    made = 0;
    const Original = AbortController;
    vi.stubGlobal(
      'AbortController',
      class extends Original {
        constructor() {
          super();
          made += 1;
        }
      },
    );
    onTestFinished(() => void vi.unstubAllGlobals());
  });

  it.each(['two', 'array'])('costs no AbortController (%s)', async (type) => {
    await answers(dispatcher, type);
    expect(made).toBe(0);
  });

  it('twin: one that takes it costs one', async () => {
    await answers(dispatcher, 'first-only');
    expect(made).toBe(1);
  });
});

describe('a generator where nothing streams', () => {
  it('is refused by @OnSubscribe(), with the reason in the log', async () => {
    const logs = collectLogs();
    expect(await dispatcher.subscribe(connectionOf('ann'), 'chat:lobby', undefined)).toMatchObject({ allowed: false });
    expect(logs).toEqual([expect.stringContaining('PulledTopic.join failed\nTypeError: It returned a generator')]);
  });

  it('refuses the connection in @OnConnect()', async () => {
    class Door {
      @OnConnect()
      async *enter() {
        yield 1;
      }
    }
    const logs = collectLogs();
    const hooks = await bootHandlers({ providers: [Door] });
    await expect(hooks.connected(connectionOf('ann'))).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(logs).toEqual([expect.stringContaining('only @OnMessage() streams')]);
  });
});
