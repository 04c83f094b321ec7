import { setTimeout as delay } from 'node:timers/promises';
import { Readable } from 'node:stream';
import { NotFoundException } from '@nestjs/common';
import { CancelSignal, OnMessage, OnSubscribe, TopicGateway, user, type RealtimeCancelledError } from 'nestjs-realtime';
import { Clock } from 'nestjs-realtime/ports';
import type { ReceivedFrame } from 'nestjs-realtime/testing';
import { of } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { ManualClock } from '../../helpers/manual-clock.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** The next action of the handler. */
let handle: (signal: AbortSignal) => unknown;
/** What producers do, in order. */
let log: string[];

@TopicGateway('job:{id}')
class JobTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('watch')
  watch(@CancelSignal() signal: AbortSignal) {
    signal.addEventListener('abort', () => log.push(`aborted: ${(signal.reason as RealtimeCancelledError).reason}`));
    return handle(signal);
  }
}

let app: RealtimeApp;
let clock: ManualClock;
let ann: Guest;

beforeEach(async () => {
  log = [];
  clock = new ManualClock();
  app = await startRealtimeApp({
    providers: [JobTopic],
    ports: [{ provide: Clock, useValue: clock }],
    options: { limits: { mailboxSize: 4 }, heartbeat: { intervalMs: 20 }, drain: { timeoutMs: 1_000 } },
  });
  ann = await app.connectAs('ann', { exp: Math.floor(clock.now() / 1_000) + 3_600 });
  await ann.request({ action: 'subscribe', topic: 'job:1' });
});

const WATCH = { action: 'message', topic: 'job:1', type: 'watch' };

function watch(handler: typeof handle, id: string | number = 1): void {
  handle = handler;
  ann.send({ ...WATCH, id });
}

/** All answers to a command, the last one included. */
async function answersTo(id: string | number, client = ann): Promise<ReceivedFrame[]> {
  const answers: ReceivedFrame[] = [];
  do answers.push(await client.next((frame) => frame.id === id));
  while (answers.at(-1)!.type === 'realtime:reply');
  return answers;
}

/** Yields one item, and waits for another one that never comes, as long as the signal lets it. */
async function* stuck(signal: AbortSignal) {
  try {
    yield 1;
    await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  } finally {
    log.push('ended');
  }
}

/** A running stream that waits for an item that never comes. */
async function beginStuck(): Promise<void> {
  watch(stuck);
  await ann.next('realtime:reply');
}

describe('an async generator', () => {
  it('is a reply for each of its items, and then a completion', async () => {
    watch(async function* () {
      yield { percent: 10 };
      await delay(1);
      yield { percent: 20 };
    });
    expect(await answersTo(1)).toMatchObject([
      { type: 'realtime:reply', payload: { percent: 10 } },
      { type: 'realtime:reply', payload: { percent: 20 } },
      { type: 'realtime:complete' },
    ]);
  });

  it('is an error at the end when it fails, after its items', async () => {
    watch(async function* () {
      yield 1;
      throw new NotFoundException('The job is gone.');
    });
    expect(await answersTo(1)).toMatchObject([
      { payload: 1 },
      { type: 'realtime:error', payload: { code: 'TOPIC_NOT_FOUND', message: 'The job is gone.', topic: 'job:1' } },
    ]);
  });

  it('ends with INTERNAL when JSON would lose something of an item, which the log names', async () => {
    const logs = collectLogs();
    watch(async function* () {
      try {
        yield 1;
        yield { rows: [{ tags: new Set(['a']) }] };
        yield 3;
      } finally {
        log.push('ended');
      }
    });
    expect(await answersTo(1)).toMatchObject([{ payload: 1 }, { payload: { code: 'INTERNAL' } }]);
    await expect.poll(() => log).toEqual(['aborted: dropped', 'ended']);
    expect(logs).toEqual([
      expect.stringMatching(/Item 2 of the reply to "watch" in "job:1" .*\n.*reply\.rows\[0\]\.tags is a Set/s),
    ]);
  });

  it.each<[string, (inner: AsyncGenerator) => unknown]>([
    [
      'a generator',
      async function* (inner) {
        yield inner;
      },
    ],
    ['an Observable', (inner) => of(inner)],
  ])('ends with INTERNAL when an item is a stream of its own, in %s', async (_what, outer) => {
    const logs = collectLogs();
    watch(() => outer(stuck(new AbortController().signal)));
    expect(await answersTo(1)).toMatchObject([{ payload: { code: 'INTERNAL' } }]);
    expect(logs).toEqual([expect.stringContaining('an instance of AsyncGenerator without fields that JSON sees')]);
  });

  it('lets the next command begin while it goes on', async () => {
    await beginStuck();
    expect(await ann.request({ action: 'subscribe', topic: 'job:2' })).toMatchObject({ type: 'realtime:subscribed' });
  });

  it('answers nothing to a message without an id', async () => {
    handle = async function* () {
      yield 1;
      log.push('ended');
    };
    ann.send(WATCH);
    await expect.poll(() => log).toEqual(['ended']);
    expect(await typesReceivedBy(ann)).toEqual([]);
  });
});

describe('other streams', () => {
  it('are answered alike: a Readable of objects', async () => {
    watch(() => Readable.from([{ n: 1 }, { n: 2 }]));
    expect(await answersTo(1)).toMatchObject([
      { payload: { n: 1 } },
      { payload: { n: 2 } },
      { type: 'realtime:complete' },
    ]);
  });

  it('are answered alike: the decoded body of a response', async () => {
    watch(() => new Response('text').body!.pipeThrough(new TextDecoderStream()));
    expect(await answersTo(1)).toMatchObject([{ payload: 'text' }, { type: 'realtime:complete' }]);
  });

  it('are refused when they are bytes: the body of a response', async () => {
    const logs = collectLogs();
    watch(() => new Response('text').body);
    expect(await answersTo(1)).toMatchObject([{ payload: { code: 'INTERNAL' } }]);
    expect(logs).toEqual([expect.stringContaining('pipeThrough(new TextDecoderStream())')]);
  });
});

describe('a generator that gives the event loop no break', () => {
  const KB = 'x'.repeat(1_024);

  it.each([
    [
      'sync',
      function* () {
        for (;;) yield KB;
      },
    ],
    [
      'async',
      async function* () {
        for (;;) yield KB;
      },
    ],
  ])('keeps neither its reader open nor others from being served (%s)', async (_what, endless) => {
    const bob = await app.connectAs('bob');
    watch(endless);
    await ann.next('realtime:reply');
    for (let round = 0; round < 20; round++) await bob.settled();
    ann.send({ action: 'cancel', id: 1 });
    expect((await answersTo(1)).at(-1)!.type).toBe('realtime:complete');
  });

  it('lets others be served between two items that take long', async () => {
    const bob = await app.connectAs('bob');
    watch(function* () {
      for (let n = 0; n < 5_000; n++) {
        const end = performance.now() + 20;
        while (performance.now() < end);
        yield n;
      }
    });
    await ann.next('realtime:reply');
    await bob.settled();
    ann.send({ action: 'cancel', id: 1 });
    // Far fewer than all of them.
    expect((await answersTo(1)).length).toBeLessThan(2_500);
  });

  it('goes on for as long as its reader reads', async () => {
    watch(function* () {
      for (let n = 0; n < 5_000; n++) yield `${n} ${KB}`;
    });
    const answers = await answersTo(1);
    expect([answers.length, String(answers[4_999]!.payload).split(' ')[0]]).toEqual([5_001, '4999']);
  });
});

describe('a stream that waits for an item that never comes', () => {
  it.each<[string, string, () => unknown]>([
    ['is cancelled', 'cancel', () => ann.send({ action: 'cancel', id: 1 })],
    ['is left by its client', 'leave', () => ann.send({ action: 'unsubscribe', topic: 'job:1' })],
    ['is left by order of the server', 'leave', () => app.realtime.unsubscribe(ann.id, 'job:1')],
    ['loses its client', 'disconnect', () => ann.socket.terminate()],
    ['loses its client to a disconnect', 'disconnect', () => app.realtime.disconnect(user('ann'))],
    ['outlives its token', 'disconnect', () => clock.advance(3_700_000)],
    ['is drained', 'shutdown', () => app.realtime.drain()],
  ])('is aborted, and then ended, when it %s', async (_what, reason, end) => {
    await beginStuck();
    void end();
    await expect.poll(() => log).toEqual([`aborted: ${reason}`, 'ended']);
  });

  it('is answered with a completion when it was cancelled', async () => {
    await beginStuck();
    ann.send({ action: 'cancel', id: 1 });
    expect(await answersTo(1)).toMatchObject([{ type: 'realtime:complete' }]);
  });
});

describe('a producer that ignores the signal', () => {
  it('keeps its place among the running messages until its next item, which nobody gets', async () => {
    const releases: (() => void)[] = [];
    for (const id of [1, 2, 3, 4]) {
      watch(async function* () {
        yield id;
        await new Promise<void>((resolve) => releases.push(resolve));
        yield 'late';
      }, id);
      await ann.next('realtime:reply');
      ann.send({ action: 'cancel', id });
      await answersTo(id);
    }
    watch(async function* () {}, 5);
    expect(await answersTo(5)).toMatchObject([{ payload: { code: 'LIMIT_EXCEEDED' } }]);
    releases.forEach((release) => release());
    await ann.settled();
    watch(async function* () {}, 6);
    expect(await answersTo(6)).toMatchObject([{ type: 'realtime:complete' }]);
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('twin: one that obeys it leaves its place at once', async () => {
    for (const id of [1, 2, 3, 4, 5]) {
      watch(stuck, id);
      await ann.next('realtime:reply');
      ann.send({ action: 'cancel', id });
      expect(await answersTo(id)).toMatchObject([{ type: 'realtime:complete' }]);
    }
  });
});
