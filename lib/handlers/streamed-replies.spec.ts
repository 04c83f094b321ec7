import 'reflect-metadata';
import {
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { concat, EMPTY, from, map, NEVER, Observable, of, range, startWith, Subject, throwError } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  answers,
  bootHandlers,
  collectLogs,
  connectionOf,
  RecordingSink,
  send,
} from '../../test/helpers/handler-harness.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { HandlerDispatcher } from './handler.dispatcher.js';
import type { MessageRun } from './reply-sink.js';

const through = (change: (output$: Observable<unknown>) => Observable<unknown>): NestInterceptor => ({
  intercept: (_context: ExecutionContext, next: CallHandler) => change(next.handle()),
});
const double = through((output$) => output$.pipe(map((value) => Number(value) * 2)));

/** The reply that a test gives inside a handler. */
class Script {
  source$ = new Subject<unknown>();
  subscribed = 0;
  called = 0;
  handover!: () => void;
  handedOver = new Promise<void>((resolve) => (this.handover = resolve));

  /** A stream that counts who listens. */
  watched(): Observable<unknown> {
    return new Observable((observer) => {
      this.subscribed += 1;
      const inner = this.source$.subscribe(observer);
      return () => {
        this.subscribed -= 1;
        inner.unsubscribe();
      };
    });
  }
}

/** Lets everything happen that can happen without the outside. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

let script: Script;
let dispatcher: HandlerDispatcher;

@TopicGateway('chat:{room}')
class StreamTopic {
  @OnMessage('count')
  count() {
    return of(1, 2);
  }

  @OnMessage('count-later')
  async countLater() {
    return of(1, 2);
  }

  @OnMessage('nothing')
  nothing() {
    return EMPTY;
  }

  @OnMessage('fail-late')
  failLate() {
    return concat(
      of(1),
      throwError(() => new RealtimeError('UNAVAILABLE', 'Gone.')),
    );
  }

  @OnMessage('endless')
  endless() {
    return range(0, Infinity);
  }

  @OnMessage('watch')
  watch() {
    return script.watched();
  }

  @OnMessage('watch-later')
  async watchLater() {
    await script.handedOver;
    return script.watched();
  }

  @OnMessage('doubled')
  @UseInterceptors(double)
  doubled() {
    return of(1, 2);
  }

  @OnMessage('doubled-late-failure')
  @UseInterceptors(double)
  doubledLateFailure() {
    return concat(
      of(1),
      throwError(() => new RealtimeError('UNAVAILABLE', 'Gone.')),
    );
  }

  @OnMessage('doubled-watch')
  @UseInterceptors(double)
  doubledWatch() {
    return script.watched();
  }

  @OnMessage('doubled-endless')
  @UseInterceptors(double)
  doubledEndless() {
    return range(0, Infinity);
  }

  @OnMessage('doubled-value')
  @UseInterceptors(double)
  async doubledValue() {
    script.called += 1;
    await script.handedOver;
    return 21;
  }

  @OnMessage('guarded-value')
  @UseGuards({ canActivate: () => script.handedOver.then(() => true) })
  @UseInterceptors(double)
  guardedValue() {
    script.called += 1;
    return 21;
  }

  @OnMessage('announced')
  @UseInterceptors(through((output$) => output$.pipe(startWith(0))))
  announced() {
    return of(1, 2);
  }

  @OnMessage('announced-value')
  @UseInterceptors(through((output$) => output$.pipe(startWith('one moment'))))
  announcedValue() {
    return 'done';
  }

  @OnMessage('emptied')
  @UseInterceptors(through(() => EMPTY))
  emptied() {}

  @OnMessage('hanging')
  @UseInterceptors(through(() => NEVER))
  hanging() {}

  @OnMessage('broken')
  broken() {
    return from(Promise.reject(new TypeError('secret')));
  }
}

beforeEach(async () => {
  script = new Script();
  dispatcher = await bootHandlers({ providers: [StreamTopic] });
});

const GONE = { code: 'UNAVAILABLE', message: 'Gone.', action: 'message', topic: 'chat:lobby' };

describe('an Observable that a handler returns', () => {
  it.each(['count', 'count-later'])('is a reply for every emission, and a completion (%s)', async (type) => {
    expect(await answers(dispatcher, type)).toEqual([{ item: 1 }, { item: 2 }, { complete: true }]);
  });

  it('is a completion alone when it is empty', async () => {
    expect(await answers(dispatcher, 'nothing')).toEqual([{ complete: true }]);
  });

  it('ends with the error that it fails with, after its replies', async () => {
    expect(await answers(dispatcher, 'fail-late')).toEqual([{ item: 1 }, { error: GONE }]);
  });

  it('is logged when it fails unforeseen', async () => {
    const logs = collectLogs();
    await answers(dispatcher, 'broken');

    expect(logs).toEqual([expect.stringContaining('StreamTopic.broken failed\nTypeError: secret')]);
  });

  it('releases the connection while it goes on', async () => {
    const { run } = send(dispatcher, 'watch');
    await run.released;

    expect(script.subscribed).toBe(1);
  });

  it('is unsubscribed by a cancel', async () => {
    const { run } = send(dispatcher, 'watch');
    await run.released;
    void run.cancel('cancel');

    expect(script.subscribed).toBe(0);
  });

  it('tells nothing after a cancel', async () => {
    const { run, sink } = send(dispatcher, 'watch');
    await run.released;
    script.source$.next(1);
    void run.cancel('cancel');
    script.source$.next(2);
    script.source$.complete();

    expect(sink.calls).toEqual([{ item: 1 }]);
  });

  it('is never subscribed when the cancel comes before it', async () => {
    const { run, sink } = send(dispatcher, 'watch-later');
    void run.cancel('cancel');
    script.handover();
    await run.released;

    expect([script.subscribed, script.source$.observed, sink.calls]).toEqual([0, false, []]);
  });

  it.each([
    ['endless', 3],
    ['doubled-endless', 3],
    ['announced', 1],
  ])('stops when it is cancelled from inside an emission (%s, after %i)', async (type, count) => {
    let run: MessageRun | undefined;
    const sink = new RecordingSink();
    const items: unknown[] = [];
    sink.item = (value) => {
      items.push(value);
      if (items.length === count) void run!.cancel('cancel');
    };
    const command = { action: 'message', topic: 'chat:lobby', type } as const;
    run = dispatcher.message(connectionOf('ann'), command, true, sink);
    await run.released;
    await turn();

    expect(items).toHaveLength(count);
  });
});

describe('an Observable that a handler returns to an interceptor', () => {
  it('is a reply for everything that the interceptor emits', async () => {
    expect(await answers(dispatcher, 'doubled')).toEqual([{ item: 2 }, { item: 4 }, { complete: true }]);
  });

  it('keeps what the interceptor emits before the handler runs', async () => {
    expect(await answers(dispatcher, 'announced')).toEqual([{ item: 0 }, { item: 1 }, { item: 2 }, { complete: true }]);
  });

  it('ends with the error that it fails with, after its replies', async () => {
    expect(await answers(dispatcher, 'doubled-late-failure')).toEqual([{ item: 2 }, { error: GONE }]);
  });

  it('releases the connection while it goes on', async () => {
    const { run } = send(dispatcher, 'doubled-watch');
    await run.released;
    await expect.poll(() => script.subscribed).toBe(1);
  });

  it('is unsubscribed by a cancel', async () => {
    const { run } = send(dispatcher, 'doubled-watch');
    await expect.poll(() => script.subscribed).toBe(1);
    void run.cancel('cancel');

    expect(script.subscribed).toBe(0);
  });
});

describe('a plain value that a handler returns to an interceptor', () => {
  it('is one reply', async () => {
    script.handover();

    expect(await answers(dispatcher, 'doubled-value')).toEqual([{ value: 42 }]);
  });

  it('is the last thing that the interceptor emits', async () => {
    expect(await answers(dispatcher, 'announced-value')).toEqual([{ value: 'done' }]);
  });

  it('is undefined when the interceptor emits nothing', async () => {
    expect(await answers(dispatcher, 'emptied')).toEqual([{ value: undefined }]);
  });

  it('keeps the connection after a cancel until the handler has settled', async () => {
    const { run, sink } = send(dispatcher, 'doubled-value');
    await expect.poll(() => script.called).toBe(1);
    void run.cancel('cancel');
    let released = false;
    const release = run.released!.then(() => (released = true));
    await turn();
    const early = released;
    script.handover();
    await release;

    expect([early, sink.calls]).toEqual([false, []]);
  });

  it('releases the connection after a cancel when the handler was not called', async () => {
    const { run } = send(dispatcher, 'hanging');
    void run.cancel('cancel');

    await expect(run.released).resolves.toBeUndefined();
  });

  it('is not asked for when the cancel comes while a guard is thinking', async () => {
    const { run } = send(dispatcher, 'guarded-value');
    void run.cancel('cancel');
    script.handover();
    await run.released;

    expect(script.called).toBe(0);
  });
});
