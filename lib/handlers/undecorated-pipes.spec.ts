import 'reflect-metadata';
import {
  Inject,
  Injectable,
  ParseIntPipe,
  Scope,
  UsePipes,
  ValidationPipe,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';
import { APP_PIPE, REQUEST } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { answers, bootHandlers, connectionOf } from '../../test/helpers/handler-harness.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { OnUnsubscribe } from '../decorators/on-unsubscribe.decorator.js';
import type { RealtimeContext } from '../decorators/realtime-context.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';

class SayDto {
  @IsString()
  text!: string;
}

const whitelist = () => new ValidationPipe({ whitelist: true });
const HOSTILE = { text: 12_345, isAdmin: true };
const EXTRA = { text: 'hi', isAdmin: true };
const REFUSED = [{ error: expect.objectContaining({ code: 'VALIDATION_FAILED', message: 'text must be a string' }) }];

@TopicGateway('chat:{room}')
class MethodTopic {
  @OnMessage('say')
  @UsePipes(whitelist())
  say(_client: RealtimeConnection, dto: SayDto) {
    return dto;
  }

  @OnMessage('made')
  @UsePipes(new ValidationPipe({ transform: true }))
  made(client: RealtimeConnection, dto: SayDto, context: RealtimeContext) {
    return [client.userId, dto instanceof SayDto, context.type];
  }

  @OnMessage('count')
  @UsePipes(ParseIntPipe)
  count(client: RealtimeConnection, n: number, { topic }: RealtimeContext, pattern?: string) {
    return { userId: client.userId, n, topic, pattern };
  }
}

@TopicGateway('chat:{room}')
@UsePipes(whitelist())
class ClassTopic {
  @OnMessage('say')
  say(_client: RealtimeConnection, dto: SayDto) {
    return dto;
  }
}

@TopicGateway('chat:{room}')
class BareTopic {
  @OnMessage('say')
  say(_client: RealtimeConnection, dto: SayDto) {
    return dto;
  }

  @OnSubscribe()
  join(_client: RealtimeConnection, dto: SayDto) {
    return { info: dto };
  }
}

@TopicGateway('chat:{room}')
class SubclassedTopic extends BareTopic {}

@TopicGateway('chat:{room}')
class PipedJoin {
  @OnSubscribe()
  @UsePipes(whitelist())
  join(_client: RealtimeConnection, dto: SayDto) {
    return { info: dto };
  }
}

@TopicGateway('chat:{room}')
@UsePipes(whitelist())
class PipedClass extends BareTopic {}

describe('a payload without @MessageBody()', () => {
  it.each([
    ['of the method', { providers: [MethodTopic] }],
    ['of the class', { providers: [ClassTopic] }],
    [
      'of the application (APP_PIPE, a value)',
      { providers: [BareTopic, { provide: APP_PIPE, useValue: whitelist() }] },
    ],
    [
      'of the application (APP_PIPE, a factory)',
      { providers: [BareTopic, { provide: APP_PIPE, useFactory: whitelist }] },
    ],
    [
      'of the application, in a subclass',
      { providers: [SubclassedTopic, { provide: APP_PIPE, useValue: whitelist() }] },
    ],
  ])('goes through the pipes %s', async (_whose, parts) => {
    const dispatcher = await bootHandlers(parts);

    expect([await answers(dispatcher, 'say', HOSTILE), await answers(dispatcher, 'say', EXTRA)]).toEqual([
      REFUSED,
      [{ value: { text: 'hi' } }],
    ]);
  });

  it('goes through the pipes that are set with useGlobalPipes()', async () => {
    const dispatcher = await bootHandlers({ providers: [BareTopic] }, (app) => app.useGlobalPipes(whitelist()));

    expect(await answers(dispatcher, 'say', HOSTILE)).toEqual(REFUSED);
  });

  it('becomes an instance of its DTO', async () => {
    const dispatcher = await bootHandlers({ providers: [MethodTopic] });

    expect(await answers(dispatcher, 'made', { text: 'hi' })).toEqual([{ value: ['ann', true, 'made'] }]);
  });

  it('is parsed by ParseIntPipe, which sees no other argument', async () => {
    const dispatcher = await bootHandlers({ providers: [MethodTopic] });

    expect(await answers(dispatcher, 'count', '7')).toEqual([
      { value: { userId: 'ann', n: 7, topic: 'chat:lobby', pattern: 'count' } },
    ]);
  });

  it('is refused by ParseIntPipe', async () => {
    const dispatcher = await bootHandlers({ providers: [MethodTopic] });

    expect(await answers(dispatcher, 'count', 'seven')).toMatchObject([{ error: { code: 'VALIDATION_FAILED' } }]);
  });

  it.each([
    ['of the method', { providers: [PipedJoin] }],
    ['of the class', { providers: [PipedClass] }],
    ['of the application', { providers: [BareTopic, { provide: APP_PIPE, useValue: whitelist() }] }],
  ])('is what a client subscribes with, too: it goes through the pipes %s', async (_whose, parts) => {
    const dispatcher = await bootHandlers(parts);
    const ann = connectionOf('ann');

    expect([
      await dispatcher.subscribe(ann, 'chat:lobby', HOSTILE),
      await dispatcher.subscribe(ann, 'chat:lobby', EXTRA),
    ]).toMatchObject([
      { allowed: false, error: { code: 'VALIDATION_FAILED' } },
      { allowed: true, info: { text: 'hi' } },
    ]);
  });
});

describe('a request-scoped pipe', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Sign implements PipeTransform {
    constructor(@Inject(REQUEST) private readonly context: RealtimeContext) {}
    transform(value: unknown) {
      return `${String(value)} by ${this.context.connection!.userId}`;
    }
  }

  @TopicGateway('chat:{room}')
  class OwnTopic {
    @OnMessage('say')
    @UsePipes(Sign)
    say(_client: RealtimeConnection, text: string) {
      return text;
    }
  }

  it.each([
    ['of the method', [OwnTopic]],
    ['of the application', [BareTopic, { provide: APP_PIPE, useClass: Sign }]],
  ])('%s is made for each payload without @MessageBody()', async (_whose, providers) => {
    const dispatcher = await bootHandlers({ providers });
    const told = [
      await answers(dispatcher, 'say', 'hi'),
      await answers(dispatcher, 'say', 'hi', { connection: connectionOf('bob') }),
    ];

    expect(told).toEqual([[{ value: 'hi by ann' }], [{ value: 'hi by bob' }]]);
  });
});

describe('a pipe', () => {
  const seen: ArgumentMetadata[] = [];
  const spy: PipeTransform = { transform: (value: unknown, metadata) => (seen.push(metadata), value) };

  @TopicGateway('chat:{room}')
  class TwinTopic {
    @OnMessage('bare')
    bare(_client: RealtimeConnection, _dto: SayDto) {}

    @OnMessage('decorated')
    decorated(@MessageBody() _dto: SayDto) {}
  }

  it('is told the same about a payload with and without @MessageBody()', async () => {
    const dispatcher = await bootHandlers({ providers: [TwinTopic, { provide: APP_PIPE, useValue: spy }] });
    await answers(dispatcher, 'bare');
    await answers(dispatcher, 'decorated');

    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).toMatchObject({ type: 'body', metatype: SayDto });
  });

  it('does not see what hooks are called with, for no client sent it', async () => {
    const refuse: PipeTransform = {
      transform: () => {
        throw new Error('no payload');
      },
    };

    const called: string[] = [];

    @TopicGateway('chat:{room}')
    class HookTopic {
      @OnConnect()
      connect(_client: RealtimeConnection) {
        called.push('connect');
      }

      @OnUnsubscribe()
      left(_client: RealtimeConnection, _payload: undefined) {
        called.push('unsubscribe');
      }
    }
    const dispatcher = await bootHandlers({ providers: [HookTopic] }, (app) => app.useGlobalPipes(refuse));
    await dispatcher.connected(connectionOf('ann'));
    await dispatcher.unsubscribed(connectionOf('ann'), 'chat:lobby');

    expect(called).toEqual(['connect', 'unsubscribe']);
  });
});
