import 'reflect-metadata';
import { ForbiddenException, NotFoundException, UseGuards, UseInterceptors, type CallHandler } from '@nestjs/common';
import { MessageBody } from '@nestjs/websockets';
import { map, of } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { bootHandlers, collectLogs, connectionOf } from '../../test/helpers/handler-harness.js';
import type { RealtimeConnection } from '../core/connection/connection.js';
import { allow } from '../decorators/subscription-permit.js';
import { CurrentConnection } from '../decorators/current-connection.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { OnUnsubscribe } from '../decorators/on-unsubscribe.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { TopicParam } from '../decorators/topic-param.decorator.js';
import { RealtimeError } from '../errors/realtime.error.js';
import type { RealtimeContext } from '../decorators/realtime-context.js';

const ann = connectionOf('ann');
let decide: () => unknown;
let left: unknown[];

@TopicGateway('chat:{room}')
class ChatTopic {
  @OnSubscribe()
  join() {
    return decide();
  }

  @OnUnsubscribe()
  leave(connection: RealtimeConnection, payload: unknown, context: RealtimeContext) {
    left.push([connection.userId, payload, context.event, context.topic]);
  }
}

@TopicGateway('room:{room}')
class RoomTopic {
  @OnSubscribe()
  join(@TopicParam('room') room: string, @CurrentConnection() me: RealtimeConnection, @MessageBody('as') as: string) {
    return { info: `${me.userId} in ${room} as ${as}` };
  }

  @OnUnsubscribe()
  leave() {
    throw new TypeError('secret');
  }
}

@TopicGateway('guarded:{room}')
class GuardedTopic {
  @OnSubscribe()
  @UseGuards({ canActivate: () => false })
  join() {
    return true;
  }

  @OnUnsubscribe()
  leave() {
    throw new ForbiddenException('Too late');
  }
}

@TopicGateway('wrapped:{room}')
class WrappedTopic {
  @OnSubscribe()
  @UseInterceptors({ intercept: (_: unknown, next: CallHandler) => next.handle().pipe(map((data) => ({ data }))) })
  join() {
    return true;
  }
}

@TopicGateway('closed:{room}')
class ClosedTopic {}

const providers = [ChatTopic, RoomTopic, GuardedTopic, WrappedTopic, ClosedTopic];

beforeEach(() => {
  left = [];
});

const FORBIDDEN = { code: 'FORBIDDEN', message: 'Not allowed to subscribe to this topic.' };

describe('a subscription', () => {
  it.each([
    ['true', () => true, { allowed: true }],
    ['a promise of true', async () => true, { allowed: true }],
    ['an Observable whose last value is true', () => of(false, true), { allowed: true }],
    ['{ info }', () => ({ info: 7 }), { allowed: true, info: 7 }],
    ['allow()', () => allow({ info: 7, data: 8 }), { allowed: true, info: 7, data: 8 }],
    ['{ info, data }', () => ({ info: 7, data: 8 }), { allowed: false, error: FORBIDDEN }],
    ['false', () => false, { allowed: false, error: FORBIDDEN }],
    ['nothing', () => {}, { allowed: false, error: FORBIDDEN }],
    ['an Observable whose last value is false', () => of(true, false), { allowed: false, error: FORBIDDEN }],
    ['an empty Observable', () => of(), { allowed: false, error: FORBIDDEN }],
    ['a truthy value', () => 'yes', { allowed: false, error: FORBIDDEN }],
  ])('is decided by what @OnSubscribe returns: %s', async (_what, returns, decision) => {
    decide = returns;
    const dispatcher = await bootHandlers({ providers });

    expect(await dispatcher.subscribe(ann, 'chat:lobby', undefined)).toMatchObject(decision);
  });

  it.each([
    [new NotFoundException('No such room'), { code: 'TOPIC_NOT_FOUND', message: 'No such room' }],
    [new RealtimeError('LIMIT_EXCEEDED', 'Full.'), { code: 'LIMIT_EXCEEDED', message: 'Full.' }],
    [new TypeError('secret'), { code: 'UNAVAILABLE', message: expect.not.stringContaining('secret') }],
  ])('is refused with what @OnSubscribe throws: %o', async (exception, error) => {
    collectLogs();
    decide = () => {
      throw exception;
    };
    const dispatcher = await bootHandlers({ providers });

    expect(await dispatcher.subscribe(ann, 'chat:lobby', undefined)).toMatchObject({
      allowed: false,
      error: { ...error, action: 'subscribe', topic: 'chat:lobby' },
    });
  });

  it.each([
    ['by a guard', 'guarded:x', 'FORBIDDEN'],
    ['when an interceptor wraps the yes into something else', 'wrapped:x', 'FORBIDDEN'],
    ['without @OnSubscribe', 'closed:x', 'FORBIDDEN'],
    ['without a gateway for the topic', 'news:x', 'TOPIC_NOT_FOUND'],
  ])('is refused %s', async (_why, topic, code) => {
    const dispatcher = await bootHandlers({ providers });

    expect(await dispatcher.subscribe(ann, topic, undefined)).toMatchObject({
      allowed: false,
      error: { code, action: 'subscribe', topic },
    });
  });

  it('gives @OnSubscribe the parameters, the connection and the payload of the command', async () => {
    const dispatcher = await bootHandlers({ providers });

    expect(await dispatcher.subscribe(ann, 'room:lobby', { as: 'guest' })).toEqual({
      allowed: true,
      info: 'ann in lobby as guest',
    });
  });
});

describe('a cause that fails the subscriptions of a crowd', () => {
  it('is logged once with its stack, and then counted', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    const logs = collectLogs();
    const dispatcher = await bootHandlers({ providers });
    decide = () => {
      throw new Error('connect ECONNREFUSED');
    };
    for (let n = 0; n < 100; n++) await dispatcher.subscribe(ann, 'chat:lobby', undefined);
    now.mockReturnValue(10_000);
    await dispatcher.subscribe(ann, 'chat:lobby', undefined);

    expect(logs).toEqual([
      expect.stringMatching(/^ChatTopic\.join failed\nError: connect ECONNREFUSED\n {4}at /),
      expect.stringMatching(
        /^ChatTopic\.join failed \(99 more since the last line about it\)\nError: connect ECONNREFUSED\n/,
      ),
    ]);
  });
});

describe('the end of a subscription', () => {
  it('calls @OnUnsubscribe', async () => {
    const dispatcher = await bootHandlers({ providers });
    await dispatcher.unsubscribed(ann, 'chat:lobby');

    expect(left).toEqual([['ann', undefined, 'unsubscribe', 'chat:lobby']]);
  });

  it.each(['closed:x', 'news:x'])('calls nobody where nobody listens (%s)', async (topic) => {
    const dispatcher = await bootHandlers({ providers });

    await expect(dispatcher.unsubscribed(ann, topic)).resolves.toBeUndefined();
  });

  it.each([
    ['room:x', /^RoomTopic\.leave failed\nTypeError: secret\n/],
    ['guarded:x', /^GuardedTopic\.leave failed: FORBIDDEN Too late$/],
  ])('logs what @OnUnsubscribe throws, and goes on (%s)', async (topic, line) => {
    const logs = collectLogs();
    const dispatcher = await bootHandlers({ providers });
    await dispatcher.unsubscribed(ann, topic);

    expect(logs).toEqual([expect.stringMatching(line)]);
  });
});
