import 'reflect-metadata';
import {
  ForbiddenException,
  Injectable,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import { IsString, Length } from 'class-validator';
import { delay, map, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answers, bootHandlers, collectLogs, connectionOf, send } from '../../test/helpers/handler-harness.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { CurrentConnection } from '../decorators/current-connection.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { TopicName } from '../decorators/topic-name.decorator.js';
import { TopicParam } from '../decorators/topic-param.decorator.js';
import { RealtimeError } from '../errors/realtime.error.js';
import { realtimeContextOf, type RealtimeContext } from '../decorators/realtime-context.js';

class SayDto {
  @IsString()
  @Length(1, 5)
  text!: string;
}

const shout: PipeTransform = { transform: (value: string) => value.toUpperCase() };

@TopicGateway('chat:{room}')
class ChatTopic {
  @OnMessage('say')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  say(@MessageBody() dto: SayDto) {
    return [dto instanceof SayDto, Object.entries(dto)];
  }

  @OnMessage('where')
  where(
    @TopicParam('room') room: string,
    @TopicParam('room', shout) loud: string,
    @TopicParam() params: Record<string, string>,
    @TopicName() topic: string,
  ) {
    return { room, loud, params, topic };
  }

  @OnMessage('who')
  who(@CurrentConnection() me: RealtimeConnection, @ConnectedSocket() socket: RealtimeConnection) {
    return me.userId === socket.userId && me.userId;
  }

  @OnMessage('raw')
  raw(connection: RealtimeConnection, payload: unknown, context: RealtimeContext) {
    return { userId: connection.userId, payload, context };
  }

  @OnMessage('later')
  async later() {
    return 'later';
  }

  @OnMessage('open', { requireSubscription: false })
  open() {
    return 'opened';
  }

  @OnMessage('one')
  @OnMessage('two')
  both(_connection: unknown, _payload: unknown, { type }: RealtimeContext) {
    return type;
  }

  @OnMessage('refuse')
  refuse() {
    throw new RealtimeError('LIMIT_EXCEEDED', 'Too many.');
  }

  @OnMessage('break')
  async break(@MessageBody() _payload: unknown) {
    throw new TypeError('secret-cause');
  }
}

const boot = () => bootHandlers({ providers: [ChatTopic] });

describe('a message to a topic', () => {
  it('is answered with what its handler returns', async () => {
    expect(await answers(await boot(), 'one')).toEqual([{ value: 'one' }]);
  });

  it('is answered with what the promise of its handler resolves with', async () => {
    expect(await answers(await boot(), 'later')).toEqual([{ value: 'later' }]);
  });

  it('reaches the handler of each of several types of one method', async () => {
    expect(await answers(await boot(), 'two')).toEqual([{ value: 'two' }]);
  });

  it('is validated and made an instance of its DTO', async () => {
    const payload = { text: 'hello', extra: true };

    expect(await answers(await boot(), 'say', payload)).toEqual([{ value: [true, [['text', 'hello']]] }]);
  });

  it('is refused with what the validation found', async () => {
    expect(await answers(await boot(), 'say', { text: 7 })).toEqual([
      {
        error: {
          code: 'VALIDATION_FAILED',
          message:
            'text must be longer than or equal to 1 and shorter than or equal to 5 characters; text must be a string',
          httpStatus: 400,
          details: expect.objectContaining({ statusCode: 400, error: 'Bad Request' }),
          action: 'message',
          topic: 'chat:lobby',
        },
      },
    ]);
  });

  it('gives its handler the parameters and the name of the topic', async () => {
    expect(await answers(await boot(), 'where')).toEqual([
      { value: { room: 'lobby', loud: 'LOBBY', params: { room: 'lobby' }, topic: 'chat:lobby' } },
    ]);
  });

  it('gives its handler the connection', async () => {
    expect(await answers(await boot(), 'who')).toEqual([{ value: 'ann' }]);
  });

  it('gives a handler without parameter decorators connection, payload and context', async () => {
    const connection = connectionOf('bob');

    expect(await answers(await boot(), 'raw', [1], { connection })).toEqual([
      {
        value: {
          userId: 'bob',
          payload: [1],
          context: {
            event: 'message',
            connection,
            topic: 'chat:lobby',
            pattern: 'chat:{room}',
            params: { room: 'lobby' },
            type: 'raw',
          },
        },
      },
    ]);
  });

  it('is answered with the error that its handler throws', async () => {
    expect(await answers(await boot(), 'refuse')).toEqual([
      { error: { code: 'LIMIT_EXCEEDED', message: 'Too many.', action: 'message', topic: 'chat:lobby' } },
    ]);
  });

  it('is answered with INTERNAL, and nothing of the cause, when its handler fails', async () => {
    collectLogs();
    const [answer] = await answers(await boot(), 'break');

    expect(answer).toEqual({
      error: {
        code: 'INTERNAL',
        message: 'The server failed to handle this; its log has the reason.',
        action: 'message',
        topic: 'chat:lobby',
      },
    });
  });

  it('is logged once, with Class.method and the stack but without the payload, when its handler fails', async () => {
    const logs = collectLogs();
    await answers(await boot(), 'break', 'secret-payload');

    expect(logs).toEqual([
      expect.stringMatching(/^ChatTopic\.break failed\nTypeError: secret-cause\n\s+at (?!.*secret-payload)/s),
    ]);
  });

  it('is not logged when its handler refuses on purpose', async () => {
    const logs = collectLogs();
    await answers(await boot(), 'refuse');

    expect(logs).toEqual([]);
  });

  it('releases its connection once its handler has settled', async () => {
    const { run, sink } = send(await boot(), 'later');
    await run.released;

    expect(sink.calls).toEqual([{ value: 'later' }]);
  });

  it('is not answered any more once it is cancelled', async () => {
    const { run, sink } = send(await boot(), 'later');
    void run.cancel('cancel');
    await run.released;

    expect(sink.calls).toEqual([]);
  });
});

describe('a message that nobody may or can handle', () => {
  it.each([
    ['a topic that no pattern matches', 'say', 'news:x', true, 'TOPIC_NOT_FOUND', 'There is no such topic.'],
    [
      'a type without a handler',
      'constructor',
      'chat:x',
      true,
      'NO_HANDLER',
      'The topic takes no messages of this type.',
    ],
    ['no subscription', 'one', 'chat:x', false, 'FORBIDDEN', 'Subscribe to the topic first.'],
  ])('is refused at once: %s', async (_why, type, topic, isSubscribed, code, message) => {
    const { run, sink } = send(await boot(), type, undefined, { topic, isSubscribed });

    expect([run.released, sink.calls]).toEqual([undefined, [{ error: { code, message, action: 'message', topic } }]]);
  });

  it('is handled without a subscription where the handler asks for none', async () => {
    const told = await answers(await boot(), 'open', undefined, { isSubscribed: false });

    expect(told).toEqual([{ value: 'opened' }]);
  });
});

@Injectable()
class Members {
  has = (room: string, userId: string) => room === 'lobby' && userId === 'ann';
}

@Injectable()
class MembersGuard implements CanActivate {
  constructor(private readonly members: Members) {}
  canActivate(context: ExecutionContext) {
    const { params, connection } = realtimeContextOf(context)!;
    return this.members.has(params['room']!, connection!.userId);
  }
}

const sayNo: CanActivate = {
  canActivate() {
    throw new ForbiddenException('Read only');
  },
};

@Injectable()
class Exclaim implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<string> {
    const { getPattern } = context.switchToWs();
    return next.handle().pipe(map((value: string) => `${getPattern()}: ${value}!`));
  }
}

class Wait implements NestInterceptor {
  async intercept(_context: ExecutionContext, next: CallHandler) {
    await Promise.resolve();
    return next.handle().pipe(delay(1));
  }
}

class Cache implements NestInterceptor {
  intercept() {
    return of('cached');
  }
}

@TopicGateway('room:{room}')
@UseGuards(MembersGuard)
class GuardedTopic {
  @OnMessage('say')
  say() {
    return 'said';
  }

  @OnMessage('write')
  @UseGuards(sayNo)
  write() {}

  @OnMessage('loud')
  @UseInterceptors(Exclaim)
  loud() {
    return 'hey';
  }

  @OnMessage('slow')
  @UseInterceptors(new Wait())
  async slow() {
    return 'slow';
  }

  @OnMessage('cached')
  @UseInterceptors(new Cache())
  cached(): never {
    throw new Error('is never called');
  }

  @OnMessage('context')
  @UseInterceptors({
    intercept: (context: ExecutionContext) =>
      of([context.getType(), context.getClass().name, context.getHandler().name, context.switchToWs().getData()]),
  })
  context() {}
}

const bootGuarded = () => bootHandlers({ providers: [GuardedTopic, Members] });
const topic = 'room:lobby';

describe('a handler with enhancers', () => {
  it('runs when the guard of its class lets it', async () => {
    expect(await answers(await bootGuarded(), 'say', undefined, { topic })).toEqual([{ value: 'said' }]);
  });

  it('does not run when the guard of its class says no', async () => {
    const connection = connectionOf('bob');
    const [answer] = await answers(await bootGuarded(), 'say', undefined, { topic, connection });

    expect(answer).toMatchObject({ error: { code: 'FORBIDDEN', message: 'Forbidden resource', topic } });
  });

  it('is refused with what a guard throws', async () => {
    const [answer] = await answers(await bootGuarded(), 'write', undefined, { topic });

    expect(answer).toMatchObject({ error: { code: 'FORBIDDEN', message: 'Read only' } });
  });

  it('replies once, with what an interceptor makes of its value', async () => {
    expect(await answers(await bootGuarded(), 'loud', undefined, { topic })).toEqual([{ value: 'loud: hey!' }]);
  });

  it('replies once through an interceptor that takes its time', async () => {
    expect(await answers(await bootGuarded(), 'slow', undefined, { topic })).toEqual([{ value: 'slow' }]);
  });

  it('is not called when an interceptor answers in its place', async () => {
    expect(await answers(await bootGuarded(), 'cached', undefined, { topic })).toEqual([{ value: 'cached' }]);
  });

  it('shows its enhancers a context of type ws, its class, its method and the payload', async () => {
    expect(await answers(await bootGuarded(), 'context', 7, { topic })).toEqual([
      { value: ['ws', 'GuardedTopic', 'context', 7] },
    ]);
  });
});
