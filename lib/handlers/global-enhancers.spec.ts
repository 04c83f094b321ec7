import 'reflect-metadata';
import {
  Inject,
  Injectable,
  Scope,
  ValidationPipe,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE, REQUEST } from '@nestjs/core';
import { MessageBody } from '@nestjs/websockets';
import { IsInt } from 'class-validator';
import { map } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { answers, bootHandlers, connectionOf } from '../../test/helpers/handler-harness.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import type { RealtimeContext } from '../decorators/realtime-context.js';

class AddDto {
  @IsInt()
  amount!: number;
}

@TopicGateway('cart:{id}')
class CartTopic {
  @OnMessage('add')
  add(@MessageBody() dto: AddDto) {
    return dto instanceof AddDto ? dto.amount : 'no dto';
  }
}

class NotBob implements CanActivate {
  canActivate = (context: ExecutionContext) => context.switchToWs().getClient().userId !== 'bob';
}

class Box implements NestInterceptor {
  intercept = (_context: ExecutionContext, next: CallHandler) => next.handle().pipe(map((value) => [value]));
}

@Injectable({ scope: Scope.REQUEST })
class ScopedNotBob implements CanActivate {
  constructor(@Inject(REQUEST) private readonly context: RealtimeContext) {}
  canActivate() {
    return this.context.connection?.userId !== 'bob';
  }
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientNotBob extends NotBob {}

const topic = 'cart:7';
const bob = { topic, connection: connectionOf('bob') };
const FORBIDDEN = [{ error: expect.objectContaining({ code: 'FORBIDDEN' }) }];

describe('a global enhancer', () => {
  it.each([NotBob, ScopedNotBob, TransientNotBob])('guards topic handlers (APP_GUARD, %o)', async (useClass) => {
    const dispatcher = await bootHandlers({ providers: [CartTopic, { provide: APP_GUARD, useClass }] });

    expect([
      await answers(dispatcher, 'add', { amount: 1 }, { topic }),
      await answers(dispatcher, 'add', { amount: 1 }, bob),
    ]).toEqual([[{ value: 'no dto' }], FORBIDDEN]);
  });

  it('validates and transforms their payload (APP_PIPE)', async () => {
    const pipe = { provide: APP_PIPE, useValue: new ValidationPipe({ transform: true }) };
    const dispatcher = await bootHandlers({ providers: [CartTopic, pipe] });

    expect(await answers(dispatcher, 'add', { amount: 3 }, { topic })).toEqual([{ value: 3 }]);
  });

  it('sees their replies (APP_INTERCEPTOR)', async () => {
    const dispatcher = await bootHandlers({ providers: [CartTopic, { provide: APP_INTERCEPTOR, useClass: Box }] });

    expect(await answers(dispatcher, 'add', {}, { topic })).toEqual([{ value: ['no dto'] }]);
  });

  it.each([
    ['useGlobalGuards', bob, FORBIDDEN],
    ['useGlobalPipes', { topic }, [{ value: 3 }]],
    ['useGlobalInterceptors', { topic }, [{ value: ['no dto'] }]],
  ] as const)('applies to them when it is set with %s', async (method, how, expected) => {
    const enhancer = {
      useGlobalGuards: new NotBob(),
      useGlobalPipes: new ValidationPipe({ transform: true }),
      useGlobalInterceptors: new Box(),
    }[method];
    const dispatcher = await bootHandlers({ providers: [CartTopic] }, (app) => app[method](enhancer as never));

    expect(await answers(dispatcher, 'add', { amount: 3 }, how)).toEqual(expected);
  });
});
