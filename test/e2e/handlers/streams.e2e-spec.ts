import { NotFoundException } from '@nestjs/common';
import { OnMessage, OnSubscribe, TopicGateway } from 'nestjs-realtime';
import type { ReceivedFrame } from 'nestjs-realtime/testing';
import { asyncScheduler, concat, EMPTY, finalize, NEVER, Observable, of, range, Subject, throwError } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { collectLogs } from '../../helpers/handler-harness.js';
import { startRealtimeApp, typesReceivedBy, type Guest, type RealtimeApp } from '../../helpers/realtime-app.js';

/** The next action of the handler. */
let handle: () => unknown;
/** How many of its Observables are subscribed, and how many were ended. */
let running: number;
let ended: number;

/** Counts who listens. */
function watched(source$: Observable<unknown>): Observable<unknown> {
  return new Observable((observer) => {
    running += 1;
    return source$
      .pipe(
        finalize(() => {
          running -= 1;
          ended += 1;
        }),
      )
      .subscribe(observer);
  });
}

@TopicGateway('job:{id}')
class JobTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('watch')
  watch() {
    return handle();
  }
}

let app: RealtimeApp;
let ann: Guest;

beforeEach(async () => {
  running = 0;
  ended = 0;
  app = await startRealtimeApp({ providers: [JobTopic], options: { limits: { mailboxSize: 4 } } });
  ann = await app.connectAs('ann');
  await ann.request({ action: 'subscribe', topic: 'job:1' });
});

const WATCH = { action: 'message', topic: 'job:1', type: 'watch' };

function watch(handler: () => unknown, id: string | number = 1): void {
  handle = handler;
  ann.send({ ...WATCH, id });
}

/** All answers to a command, the last one included. */
async function answersTo(id: string | number): Promise<ReceivedFrame[]> {
  const answers: ReceivedFrame[] = [];
  do answers.push(await ann.next((frame) => frame.id === id));
  while (answers.at(-1)!.type === 'realtime:reply');
  return answers;
}

describe('an Observable', () => {
  it('is a reply for each of its values, and then a completion', async () => {
    watch(() => of({ percent: 10 }, { percent: 20 }));
    expect(await answersTo(1)).toMatchObject([
      { type: 'realtime:reply', payload: { percent: 10 } },
      { type: 'realtime:reply', payload: { percent: 20 } },
      { type: 'realtime:complete' },
    ]);
  });

  it('is a completion alone when it is empty', async () => {
    watch(() => EMPTY);
    expect(await answersTo(1)).toMatchObject([{ type: 'realtime:complete' }]);
  });

  it('may come from a promise', async () => {
    watch(async () => of(1));
    expect(await answersTo(1)).toMatchObject([{ payload: 1 }, { type: 'realtime:complete' }]);
  });

  it('is an error at the end when it fails, after its values', async () => {
    watch(() =>
      concat(
        of(1),
        throwError(() => new NotFoundException('The job is gone.')),
      ),
    );
    expect(await answersTo(1)).toMatchObject([
      { type: 'realtime:reply', payload: 1 },
      { type: 'realtime:error', payload: { code: 'TOPIC_NOT_FOUND', message: 'The job is gone.', topic: 'job:1' } },
    ]);
  });

  it('is INTERNAL at the end, with nothing told, when it fails unforeseen', async () => {
    collectLogs();
    watch(() =>
      concat(
        of(1),
        throwError(() => new Error('hunter2')),
      ),
    );
    const [, error] = await answersTo(1);
    expect(error!.payload.code).toBe('INTERNAL');
    expect(JSON.stringify(error)).not.toContain('hunter2');
  });

  it('ends with INTERNAL when JSON cannot carry one of its values', async () => {
    collectLogs();
    watch(() => watched(concat(of(1), of(2n), of(3), NEVER)));
    expect(await answersTo(1)).toMatchObject([{ payload: 1 }, { payload: { code: 'INTERNAL' } }]);
    await expect.poll(() => [running, ended]).toEqual([0, 1]);
  });

  it('lets the next command begin while it goes on', async () => {
    watch(() => watched(NEVER));
    expect(await ann.request({ action: 'subscribe', topic: 'job:2' })).toMatchObject({ type: 'realtime:subscribed' });
    expect(running).toBe(1);
  });

  it('runs beside others, each with its own answers', async () => {
    const sources: Record<number, Subject<number>> = { 1: new Subject(), 2: new Subject() };
    for (const id of [1, 2]) {
      watch(() => sources[id], id);
      await expect.poll(() => sources[id]!.observed).toBe(true);
    }
    sources[2]!.next(20);
    sources[1]!.next(10);
    sources[1]!.complete();
    sources[2]!.complete();
    expect([await answersTo(1), await answersTo(2)]).toMatchObject([
      [{ payload: 10 }, { type: 'realtime:complete' }],
      [{ payload: 20 }, { type: 'realtime:complete' }],
    ]);
  });

  it('answers nothing to a message without an id', async () => {
    const source$ = new Subject();
    handle = () => source$;
    ann.send(WATCH);
    await expect.poll(() => source$.observed).toBe(true);
    source$.next(1);
    source$.complete();
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('is refused when as many are running as may', async () => {
    for (const id of [1, 2, 3, 4]) watch(() => watched(NEVER), id);
    await expect.poll(() => running).toBe(4);
    watch(() => watched(NEVER), 5);
    expect(await answersTo(5)).toMatchObject([{ payload: { code: 'LIMIT_EXCEEDED', action: 'message' } }]);
  });
});

describe('an Observable that gives the event loop no break', () => {
  it('ends its connection, as one that cannot be read so fast', async () => {
    watch(() => watched(range(0, Infinity)));
    expect(await ann.nextClose()).toMatchObject({ code: 3008 });
    expect([running, ended]).toEqual([0, 1]);
  });

  it('harms nobody else', async () => {
    const bob = await app.connectAs('bob');
    watch(() => range(0, Infinity));
    await ann.nextClose();
    await expect(bob.settled()).resolves.toBeUndefined();
  });
});

describe('a cancel', () => {
  it('ends a stream, and is its final answer', async () => {
    const source$ = new Subject();
    watch(() => watched(source$));
    await expect.poll(() => running).toBe(1);
    source$.next(1);
    ann.send({ action: 'cancel', id: 1 });
    expect(await answersTo(1)).toMatchObject([{ payload: 1 }, { type: 'realtime:complete' }]);
    expect([running, ended]).toEqual([0, 1]);
  });

  it('silences a stream', async () => {
    const source$ = new Subject();
    watch(() => source$);
    await expect.poll(() => source$.observed).toBe(true);
    ann.send({ action: 'cancel', id: 1 });
    await answersTo(1);
    source$.next('late');
    source$.complete();
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('ends a stream that never pauses', async () => {
    watch(() => watched(range(0, Infinity, asyncScheduler)));
    await ann.next('realtime:reply');
    ann.send({ action: 'cancel', id: 1 });
    expect((await answersTo(1)).at(-1)!.type).toBe('realtime:complete');
    expect([running, ended]).toEqual([0, 1]);
  });

  it('makes the id free', async () => {
    watch(() => NEVER);
    ann.send({ action: 'cancel', id: 1 });
    await answersTo(1);
    watch(() => of('again'));
    expect(await answersTo(1)).toMatchObject([{ payload: 'again' }, { type: 'realtime:complete' }]);
  });

  it('of what has been answered is left alone', async () => {
    watch(() => of(1));
    await answersTo(1);
    ann.send({ action: 'cancel', id: 1 });
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('of what never was is left alone', async () => {
    ann.send({ action: 'cancel', id: 'never' });
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('of a promise is answered at once', async () => {
    watch(() => new Promise(() => undefined));
    ann.send({ action: 'cancel', id: 1 });
    expect(await answersTo(1)).toMatchObject([{ type: 'realtime:complete' }]);
  });

  it('of a promise drops the value that comes later', async () => {
    let resolve!: (value: string) => void;
    let called = false;
    watch(() => {
      called = true;
      return new Promise((settle) => (resolve = settle));
    });
    await expect.poll(() => called).toBe(true);
    ann.send({ action: 'cancel', id: 1 });
    await answersTo(1);
    resolve('late');
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('of a promise drops the error that comes later', async () => {
    let reject!: (error: Error) => void;
    watch(() => new Promise((_resolve, fail) => (reject = fail)));
    await expect.poll(() => reject).toBeDefined();
    ann.send({ action: 'cancel', id: 1 });
    await answersTo(1);
    reject(new NotFoundException());
    expect(await typesReceivedBy(ann)).toEqual([]);
  });

  it('of a message that waits for its turn keeps it from being handled', async () => {
    let called = 0;
    let release!: () => void;
    handle = () => {
      called += 1;
      return new Promise<void>((resolve) => (release = resolve));
    };
    ann.send({ ...WATCH, id: 'first' });
    ann.send({ ...WATCH, id: 'second' });
    ann.send({ action: 'cancel', id: 'second' });
    expect(await answersTo('second')).toMatchObject([{ type: 'realtime:complete' }]);
    release();
    await ann.request({ action: 'unsubscribe', topic: 'job:1' });
    expect(called).toBe(1);
  });

  it('does not cancel a subscription', async () => {
    let release!: () => void;
    watch(() => new Promise<void>((resolve) => (release = resolve)), 'slow');
    ann.send({ action: 'subscribe', topic: 'job:2', id: 'sub' });
    ann.send({ action: 'cancel', id: 'sub' });
    await ann.settled();
    release();
    expect(await ann.next(({ id }) => id === 'sub')).toMatchObject({ type: 'realtime:subscribed' });
  });
});

describe('an id that is still in use', () => {
  it('is refused, without an id, for the answer to it is still to come', async () => {
    watch(() => NEVER);
    watch(() => NEVER);
    const error = await ann.next('realtime:error');
    expect([error.id, error.payload.code]).toEqual([undefined, 'INVALID_MESSAGE']);
  });

  it('leaves the message that has it running', async () => {
    const source$ = new Subject();
    watch(() => source$);
    await expect.poll(() => source$.observed).toBe(true);
    watch(() => NEVER);
    await ann.next('realtime:error');
    source$.next('still here');
    source$.complete();
    expect(await answersTo(1)).toMatchObject([{ payload: 'still here' }, { type: 'realtime:complete' }]);
  });
});

describe('a disconnect', () => {
  it('ends the streams of the connection', async () => {
    for (const id of [1, 2]) watch(() => watched(NEVER), id);
    await expect.poll(() => running).toBe(2);
    await ann.close();
    await expect.poll(() => [running, ended]).toEqual([0, 2]);
  });

  it('ends the streams of a client that vanished', async () => {
    watch(() => watched(NEVER));
    await expect.poll(() => running).toBe(1);
    ann.socket.terminate();
    await expect.poll(() => ended).toBe(1);
  });

  it('ends the streams when the application disconnects the client', async () => {
    watch(() => watched(NEVER));
    await expect.poll(() => running).toBe(1);
    await app.realtime.disconnect({ kind: 'user', id: 'ann' });
    expect(ended).toBe(1);
  });

  it('keeps an Observable that comes later from being subscribed', async () => {
    let resolve!: (value: unknown) => void;
    watch(() => new Promise((settle) => (resolve = settle)));
    await expect.poll(() => resolve).toBeDefined();
    await ann.close();
    await expect.poll(() => app.realtime.connection(ann.id)).toBeUndefined();
    resolve(watched(NEVER));
    const bob = await app.connectAs('bob');
    await bob.settled();
    expect(running).toBe(0);
  });

  it('leaves the streams of others running', async () => {
    const bob = await app.connectAs('bob');
    await bob.request({ action: 'subscribe', topic: 'job:1' });
    watch(() => watched(NEVER));
    bob.send({ ...WATCH, id: 1 });
    await expect.poll(() => running).toBe(2);
    await ann.close();
    await expect.poll(() => ended).toBe(1);
    expect(running).toBe(1);
  });

  it('keeps the commands that were waiting from being handled', async () => {
    let called = 0;
    let release!: () => void;
    handle = () => {
      called += 1;
      return new Promise<void>((resolve) => (release = resolve));
    };
    ann.send({ ...WATCH, id: 1 });
    ann.send({ ...WATCH, id: 2 });
    await ann.settled();
    await app.realtime.disconnect({ kind: 'user', id: 'ann' });
    release();
    const bob = await app.connectAs('bob');
    await bob.settled();
    expect(called).toBe(1);
  });
});
