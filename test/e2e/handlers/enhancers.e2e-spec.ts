import {
  BadRequestException,
  Catch,
  ForbiddenException,
  Inject,
  Injectable,
  NotFoundException,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type Provider,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { IsInt, IsNotEmpty, IsString, Min, ValidateNested } from 'class-validator';
import { Type } from 'class-transformer';
import {
  CurrentConnection,
  MessageBody,
  OnMessage,
  OnSubscribe,
  RealtimeService,
  TopicGateway,
  TopicName,
  TopicParam,
  type RealtimeConnection,
  type RealtimeContext,
} from 'nestjs-realtime';
import { map, of, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { startRealtimeApp, type Guest, type RealtimeAppParts } from '../../helpers/realtime-app.js';

/** Starts an application and subscribes a client to the lobby. */
async function enter(parts: RealtimeAppParts, roles: string[] = []): Promise<Guest> {
  const app = await startRealtimeApp(parts);
  const ann = await app.connectAs('ann', { roles });
  await ann.request({ action: 'subscribe', topic: 'chat:lobby' });
  return ann;
}

const say = (guest: Guest, type: string, payload?: unknown) =>
  guest.request({ action: 'message', topic: 'chat:lobby', type, payload });

class AuthorDto {
  @IsString()
  name!: string;
}

class SayDto {
  @IsString()
  @IsNotEmpty()
  text!: string;

  @IsInt()
  @Min(1)
  times!: number;

  @ValidateNested()
  @Type(() => AuthorDto)
  author?: AuthorDto;
}

@TopicGateway('chat:{room}')
class ChatTopic {
  constructor(private readonly realtime: RealtimeService) {}

  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('say')
  @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
  async say(
    @MessageBody() dto: SayDto,
    @TopicName() topic: string,
    @TopicParam('room') room: string,
    @CurrentConnection() me: RealtimeConnection,
  ) {
    await this.realtime.publish(topic, { type: 'heard', payload: { from: me.userId, text: dto.text } });
    return { isDto: dto instanceof SayDto, hasExtra: 'extra' in dto, room };
  }

  @OnMessage('field')
  field(@MessageBody('text') text: unknown) {
    return { text };
  }

  @OnMessage('echo')
  echo(@MessageBody() payload: unknown) {
    return payload;
  }

  @OnMessage('count')
  count() {
    return of(1, 2);
  }

  @OnMessage('break')
  break() {
    throw new BadRequestException('broken on purpose');
  }
}

describe('a validated message', () => {
  it('reaches its handler as an instance of the DTO, with what the DTO names', async () => {
    const ann = await enter({ providers: [ChatTopic] });
    const { payload } = await say(ann, 'say', { text: 'hi', times: 1, extra: true });
    expect(payload).toEqual({ isDto: true, hasExtra: false, room: 'lobby' });
  });

  it('is published by its handler before the reply comes', async () => {
    const ann = await enter({ providers: [ChatTopic] });
    await say(ann, 'say', { text: 'hi', times: 1 });
    expect(await ann.next()).toMatchObject({
      type: 'heard',
      topic: 'chat:lobby',
      payload: { from: 'ann', text: 'hi' },
    });
  });

  it('is refused with everything that the validation found', async () => {
    const ann = await enter({ providers: [ChatTopic] });
    const { type, payload } = await say(ann, 'say', { text: '', times: 0, author: { name: 7 } });
    const texts = ['text should not be empty', 'times must not be less than 1', 'author.name must be a string'];
    expect([type, payload]).toEqual([
      'realtime:error',
      {
        code: 'VALIDATION_FAILED',
        message: texts.join('; '),
        retryable: false,
        action: 'message',
        topic: 'chat:lobby',
        details: { statusCode: 400, error: 'Bad Request', message: texts },
      },
    ]);
  });

  it.each([undefined, null, 7, 'text', [], [{ text: 'hi', times: 1 }]])(
    'is refused when its payload is no object: %j',
    async (payload) => {
      const ann = await enter({ providers: [ChatTopic] });
      expect((await say(ann, 'say', payload)).type).toBe('realtime:error');
    },
  );

  it('gives one field where its handler asks for one', async () => {
    const ann = await enter({ providers: [ChatTopic] });
    expect((await say(ann, 'field', { text: 'hi', more: 1 })).payload).toEqual({ text: 'hi' });
  });

  it.each([undefined, null, 7, 'text'])('gives no field of a payload that has none: %j', async (payload) => {
    const ann = await enter({ providers: [ChatTopic] });
    expect((await say(ann, 'field', payload)).payload).toEqual({});
  });

  it.each([null, 0, '', false, 'text', [1], { a: { b: 1 } }])('carries %j as it is', async (payload) => {
    const ann = await enter({ providers: [ChatTopic] });
    expect((await say(ann, 'echo', payload)).payload).toEqual(payload);
  });
});

const isAdmin: CanActivate = {
  canActivate: (context: ExecutionContext) => context.switchToWs().getClient<RealtimeConnection>().roles.has('admin'),
};

const upper: NestInterceptor = {
  intercept: (_context: ExecutionContext, next: CallHandler<string>): Observable<string> =>
    next.handle().pipe(map((text) => text.toUpperCase())),
};

class NoRow extends Error {}

@Catch(NoRow)
class NoRowFilter implements ExceptionFilter {
  catch() {
    throw new NotFoundException('There is no such row.');
  }
}

@TopicGateway('chat:{room}')
class EnhancedTopic {
  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('guarded')
  @UseGuards(isAdmin)
  guarded() {
    return 'let in';
  }

  @OnMessage('upper')
  @UseInterceptors(upper)
  upper() {
    return 'loud';
  }

  @OnMessage('uppers')
  @UseInterceptors(upper)
  uppers() {
    return of('a', 'b');
  }

  @OnMessage('filtered')
  @UseFilters(NoRowFilter)
  filtered() {
    throw new NoRow();
  }
}

describe('an enhancer of a handler', () => {
  it('guards it: who may not is told FORBIDDEN', async () => {
    const ann = await enter({ providers: [EnhancedTopic] });
    expect((await say(ann, 'guarded')).payload).toMatchObject({ code: 'FORBIDDEN', topic: 'chat:lobby' });
  });

  it('guards it: who may is answered', async () => {
    const ann = await enter({ providers: [EnhancedTopic] }, ['admin']);
    expect((await say(ann, 'guarded')).payload).toBe('let in');
  });

  it('intercepts its reply', async () => {
    const ann = await enter({ providers: [EnhancedTopic] });
    expect((await say(ann, 'upper')).payload).toBe('LOUD');
  });

  it('intercepts every reply of a stream', async () => {
    const ann = await enter({ providers: [EnhancedTopic] });
    const first = await say(ann, 'uppers');
    expect([first, await ann.next(), await ann.next()]).toMatchObject([
      { payload: 'A' },
      { payload: 'B' },
      { type: 'realtime:complete' },
    ]);
  });

  it('translates its exceptions', async () => {
    const ann = await enter({ providers: [EnhancedTopic] });
    expect((await say(ann, 'filtered')).payload).toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      message: 'There is no such row.',
    });
  });
});

@Injectable()
class MutedGuard implements CanActivate {
  canActivate(context: ExecutionContext) {
    if (context.getHandler().name === 'echo') throw new ForbiddenException('You are muted.');
    return true;
  }
}

@Injectable()
class WrapInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler) {
    const isMessage = context.getHandler().name === 'echo';
    return next.handle().pipe(map((value: unknown) => (isMessage ? { wrapped: value } : value)));
  }
}

@Catch(BadRequestException)
class TranslatingFilter implements ExceptionFilter {
  catch(exception: BadRequestException) {
    throw new NotFoundException(`translated: ${exception.message}`);
  }
}

describe('a global enhancer', () => {
  const globally = (provide: string, useClass: new () => object): Provider[] => [ChatTopic, { provide, useClass }];

  it('guards handlers (APP_GUARD)', async () => {
    const ann = await enter({ providers: globally(APP_GUARD, MutedGuard) });
    expect((await say(ann, 'echo', 1)).payload).toMatchObject({ code: 'FORBIDDEN', message: 'You are muted.' });
  });

  it('validates payloads (APP_PIPE)', async () => {
    const pipe = { provide: APP_PIPE, useValue: new ValidationPipe({ forbidNonWhitelisted: true, whitelist: true }) };
    const ann = await enter({ providers: [ChatTopic, pipe] });
    const { payload } = await say(ann, 'say', { text: 'hi', times: 1, extra: true });
    expect(payload).toMatchObject({ code: 'VALIDATION_FAILED', message: 'property extra should not exist' });
  });

  it('intercepts replies (APP_INTERCEPTOR)', async () => {
    const ann = await enter({ providers: globally(APP_INTERCEPTOR, WrapInterceptor) });
    expect((await say(ann, 'echo', 1)).payload).toEqual({ wrapped: 1 });
  });

  it('leaves the values of a stream apart (APP_INTERCEPTOR)', async () => {
    const ann = await enter({ providers: globally(APP_INTERCEPTOR, WrapInterceptor) });
    expect([await say(ann, 'count'), await ann.next(), await ann.next()]).toMatchObject([
      { payload: 1 },
      { payload: 2 },
      { type: 'realtime:complete' },
    ]);
  });

  it('translates exceptions (APP_FILTER)', async () => {
    const ann = await enter({ providers: globally(APP_FILTER, TranslatingFilter) });
    expect((await say(ann, 'break')).payload).toMatchObject({
      code: 'TOPIC_NOT_FOUND',
      message: 'translated: broken on purpose',
    });
  });

  it('applies when it is set on the application, too', async () => {
    const ann = await enter({ providers: [ChatTopic], configure: (app) => app.useGlobalGuards(new MutedGuard()) });
    expect((await say(ann, 'echo', 1)).payload.code).toBe('FORBIDDEN');
  });
});

let made = 0;

@Injectable({ scope: Scope.REQUEST })
class Unit {
  readonly number = ++made;
  constructor(@Inject(REQUEST) readonly context: RealtimeContext) {}
}

@TopicGateway('chat:{room}')
class ScopedTopic {
  constructor(private readonly unit: Unit) {}

  @OnSubscribe()
  join() {
    return true;
  }

  @OnMessage('unit')
  async unitOf() {
    const { number, context } = this.unit;
    return { number, userId: context.connection!.userId, topic: context.topic, type: context.type };
  }

  @OnMessage('boom')
  boom() {
    throw new BadRequestException('boom');
  }
}

describe('a request-scoped gateway', () => {
  it('is made anew for every message', async () => {
    const ann = await enter({ providers: [ScopedTopic, Unit] });
    const [first, second] = [await say(ann, 'unit'), await say(ann, 'unit')];
    expect(second.payload.number).toBe(first.payload.number + 1);
  });

  it('knows whom it is made for', async () => {
    const ann = await enter({ providers: [ScopedTopic, Unit] });
    expect((await say(ann, 'unit')).payload).toMatchObject({ userId: 'ann', topic: 'chat:lobby', type: 'unit' });
  });

  it('answers with what it throws', async () => {
    const ann = await enter({ providers: [ScopedTopic, Unit] });
    expect((await say(ann, 'boom')).payload).toMatchObject({ code: 'VALIDATION_FAILED', message: 'boom' });
  });
});
