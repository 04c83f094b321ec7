import 'reflect-metadata';
import {
  Catch,
  HttpException,
  Injectable,
  NotFoundException,
  UseFilters,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { BaseWsExceptionFilter, WsException } from '@nestjs/websockets';
import { concat, EMPTY, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answers, bootHandlers, collectLogs, connectionOf } from '../../test/helpers/handler-harness.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { realtimeContextOf } from '../decorators/realtime-context.js';

class NoRow extends Error {}

/** Boots a gateway whose handlers throw `NoRow`, behind a filter. */
function bootFiltered(filter: ExceptionFilter['catch']) {
  @TopicGateway('chat:{room}')
  @UseFilters({ catch: filter })
  class FilteredTopic {
    @OnMessage('find')
    find() {
      throw new NoRow('row 7');
    }

    @OnMessage('stream')
    stream() {
      return concat(
        of(1),
        throwError(() => new NoRow('row 7')),
      );
    }

    @OnSubscribe()
    join() {
      throw new NoRow('row 7');
    }
  }
  return bootHandlers({ providers: [FilteredTopic] });
}

const NOT_FOUND = { code: 'TOPIC_NOT_FOUND', message: 'No row' };
const INTERNAL = { code: 'INTERNAL', message: 'The server failed to handle this; its log has the reason.' };
const notFound = () => new NotFoundException('No row');

describe('an exception filter', () => {
  it.each([
    [
      'throws',
      () => {
        throw notFound();
      },
    ],
    ['rejects with', () => Promise.reject(notFound())],
    ['returns', () => notFound()],
    ['returns an Observable that fails with', () => throwError(notFound)],
  ])('translates the exception when it %s another one', async (_how, filter) => {
    const [answer] = await answers(await bootFiltered(filter), 'find');

    expect(answer).toMatchObject({ error: NOT_FOUND });
  });

  it.each([
    [new RealtimeError('TIMEOUT', 'Late.'), 'TIMEOUT'],
    [new WsException('Late.'), 'VALIDATION_FAILED'],
    [new HttpException('Late.', 504), 'TIMEOUT'],
  ])('translates to a %o', async (exception, code) => {
    const [answer] = await answers(
      await bootFiltered(() => {
        throw exception;
      }),
      'find',
    );

    expect(answer).toMatchObject({ error: { code, message: 'Late.' } });
  });

  it.each([
    ['a value', () => ({ row: null })],
    ['a promise', async () => ({ row: null })],
    ['an Observable', () => of({ row: 1 }, { row: null })],
  ])('replies in place of the handler when it returns %s', async (_what, filter) => {
    expect(await answers(await bootFiltered(filter), 'find')).toEqual([{ value: { row: null } }]);
  });

  it('does not log what it replied to', async () => {
    const logs = collectLogs();
    await answers(await bootFiltered(() => 'handled'), 'find');

    expect(logs).toEqual([]);
  });

  it.each([
    ['nothing', () => {}],
    ['an empty Observable', () => EMPTY],
  ])('leaves the exception as it is when it returns %s', async (_what, filter) => {
    collectLogs();
    const [answer] = await answers(await bootFiltered(filter), 'find');

    expect(answer).toMatchObject({ error: INTERNAL });
  });

  it('leaves the exception as it is when it fails by itself', async () => {
    collectLogs();
    const filter = (_exception: unknown, host: ArgumentsHost) => host.switchToHttp().getResponse().status(500);
    const [answer] = await answers(await bootFiltered(filter), 'find');

    expect(answer).toMatchObject({ error: INTERNAL });
  });

  it('is logged when it fails by itself, beside the exception', async () => {
    const logs = collectLogs();
    await answers(
      await bootFiltered(() => {
        throw new TypeError('bad filter');
      }),
      'find',
    );

    expect(logs).toEqual([
      expect.stringContaining('An exception filter of FilteredTopic.find failed\nTypeError: bad filter'),
      expect.stringContaining('FilteredTopic.find failed\nError: row 7'),
    ]);
  });

  it('may throw the exception on, which is then logged like any other', async () => {
    const logs = collectLogs();
    const filter = (exception: unknown) => {
      throw exception;
    };
    await answers(await bootFiltered(filter), 'find');

    expect(logs).toEqual([expect.stringContaining('FilteredTopic.find failed\nError: row 7')]);
  });

  it('is shown the connection, the payload and the topic', async () => {
    const filter = (_exception: unknown, host: ArgumentsHost) => [
      host.getType(),
      host.switchToWs().getClient().userId,
      host.switchToWs().getData(),
      realtimeContextOf(host)?.topic,
    ];

    expect(await answers(await bootFiltered(filter), 'find', 7)).toEqual([{ value: ['ws', 'ann', 7, 'chat:lobby'] }]);
  });

  it('translates what ends an Observable after its replies', async () => {
    const filter = () => {
      throw notFound();
    };

    expect(await answers(await bootFiltered(filter), 'stream')).toEqual([
      { item: 1 },
      { error: expect.objectContaining(NOT_FOUND) },
    ]);
  });

  it('adds the last reply to an Observable that fails', async () => {
    expect(await answers(await bootFiltered(() => 'bye'), 'stream')).toEqual([
      { item: 1 },
      { item: 'bye' },
      { complete: true },
    ]);
  });

  it('translates why nobody may subscribe', async () => {
    const dispatcher = await bootFiltered(() => {
      throw notFound();
    });

    expect(await dispatcher.subscribe(connectionOf('ann'), 'chat:lobby', undefined)).toMatchObject({
      allowed: false,
      error: NOT_FOUND,
    });
  });

  it.each([true, { info: 'all right' }])('does not allow a subscription by returning %o', async (value) => {
    const dispatcher = await bootFiltered(() => value);

    expect(await dispatcher.subscribe(connectionOf('ann'), 'chat:lobby', undefined)).toMatchObject({
      allowed: false,
      error: { code: 'UNAVAILABLE' },
    });
  });
});

@Injectable()
class Suffix {
  readonly text = 'by the class';
}

@Catch(NoRow)
class ClassFilter implements ExceptionFilter {
  constructor(private readonly suffix: Suffix) {}
  catch = (exception: NoRow) => `${exception.message} ${this.suffix.text}`;
}

@Catch(NoRow)
class MethodFilter implements ExceptionFilter {
  catch = () => 'by the method';
}

@Catch()
class GlobalFilter implements ExceptionFilter {
  catch = () => 'by all';
}

@TopicGateway('chat:{room}')
@UseFilters(ClassFilter)
class LayeredTopic {
  @OnMessage('method')
  @UseFilters(MethodFilter)
  method() {
    throw new NoRow();
  }

  @OnMessage('class')
  class() {
    throw new NoRow('caught');
  }

  @OnMessage('global')
  global() {
    throw new TypeError();
  }
}

describe('of several exception filters', () => {
  it.each([
    ['method', 'by the method'],
    ['class', 'caught by the class'],
    ['global', 'by all'],
  ])('the nearest that catches the exception decides: that of the %s', async (type, value) => {
    const providers = [LayeredTopic, Suffix, { provide: APP_FILTER, useClass: GlobalFilter }];

    expect(await answers(await bootHandlers({ providers }), type)).toEqual([{ value }]);
  });

  it('one set with useGlobalFilters applies, too', async () => {
    const dispatcher = await bootHandlers({ providers: [LayeredTopic, Suffix] }, (app) => {
      app.useGlobalFilters(new GlobalFilter());
    });

    expect(await answers(dispatcher, 'global')).toEqual([{ value: 'by all' }]);
  });

  it("Nest's own for WebSockets leaves the standard error", async () => {
    const dispatcher = await bootHandlers({ providers: [LayeredTopic, Suffix] }, (app) => {
      app.useGlobalFilters(new BaseWsExceptionFilter());
    });
    collectLogs();

    expect(await answers(dispatcher, 'global')).toEqual([{ error: expect.objectContaining(INTERNAL) }]);
  });
});
