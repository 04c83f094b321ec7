import 'reflect-metadata';
import {
  Controller,
  Injectable,
  Module,
  Param,
  Query,
  Scope,
  UseGuards,
  UsePipes,
  type CanActivate,
  type ModuleMetadata,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { ConnectedSocket } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { answers, bootHandlers, connectionOf } from '../../test/helpers/handler-harness.js';
import { CurrentConnection } from '../decorators/current-connection.decorator.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnDisconnect } from '../decorators/on-disconnect.decorator.js';
import { OnJoin } from '../decorators/on-join.decorator.js';
import { OnLeave } from '../decorators/on-leave.decorator.js';
import { OnPresenceUpdate } from '../decorators/on-presence-update.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { OnUnsubscribe } from '../decorators/on-unsubscribe.decorator.js';
import { TopicGateway, type TopicGatewayOptions } from '../decorators/topic-gateway.decorator.js';
import { TopicName } from '../decorators/topic-name.decorator.js';
import { TopicParam } from '../decorators/topic-param.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

@TopicGateway('chat:{room}')
class ChatTopic {
  greeting = 'hello';

  @OnMessage('greet')
  greet() {
    return this.greeting;
  }
}

const chatWith = (greeting: string) => Object.assign(new ChatTopic(), { greeting });

@Injectable()
class AllowNobody implements CanActivate {
  canActivate = () => false;
}

@TopicGateway('chat:{room}')
class GuardedTopic {
  @OnMessage('say')
  @UseGuards(AllowNobody)
  say() {}
}

@Injectable()
class Trim implements PipeTransform {
  transform = (value: string) => value.trim();
}

describe('a topic gateway', () => {
  it.each([
    ['useValue', { provide: 'CHAT', useValue: chatWith('hello value') }, 'hello value'],
    ['useFactory', { provide: 'CHAT', useFactory: () => chatWith('hello factory') }, 'hello factory'],
    ['useClass', { provide: 'CHAT', useClass: class extends ChatTopic {} }, 'hello'],
  ])('is found when it is provided with %s', async (_how, provider, reply) => {
    const dispatcher = await bootHandlers({ providers: [provider] });

    expect(await answers(dispatcher, 'greet')).toEqual([{ value: reply }]);
  });

  it('is found in a module of its own', async () => {
    @Module({ providers: [ChatTopic] })
    class ChatModule {}

    expect(await answers(await bootHandlers({ imports: [ChatModule] }), 'greet')).toEqual([{ value: 'hello' }]);
  });

  it('counts once, with its enhancers, when it has aliases or another provider hands its instance on', async () => {
    @Module({ providers: [GuardedTopic], exports: [GuardedTopic] })
    class GuardedModule {}
    const alias = { provide: 'ALIAS', useExisting: GuardedTopic };
    const again = { provide: 'AGAIN', inject: [GuardedTopic], useFactory: (topic: object) => topic };
    const dispatcher = await bootHandlers({ imports: [GuardedModule], providers: [again, alias] });

    expect(await answers(dispatcher, 'say')).toEqual([{ error: expect.objectContaining({ code: 'FORBIDDEN' }) }]);
  });

  it('has the handlers of the class that it extends', async () => {
    abstract class Room {
      @OnMessage('name')
      name(@TopicName() topic: string) {
        return topic;
      }
    }
    @TopicGateway('room:{id}')
    class LivingRoom extends Room {}
    const dispatcher = await bootHandlers({ providers: [LivingRoom] });

    expect(await answers(dispatcher, 'name', 0, { topic: 'room:1' })).toEqual([{ value: 'room:1' }]);
  });

  it('has no handler where it overrides an inherited one without a decorator', async () => {
    abstract class Room {
      @OnMessage('name')
      name() {}
    }
    @TopicGateway('room:{id}')
    class LivingRoom extends Room {
      override name() {}
    }
    const [answer] = await answers(await bootHandlers({ providers: [LivingRoom] }), 'name', 0, { topic: 'room:1' });

    expect(answer).toMatchObject({ error: { code: 'NO_HANDLER' } });
  });

  it('gets topics before another one whose pattern has fewer literal characters', async () => {
    @TopicGateway('chat:lobby')
    class LobbyTopic {
      @OnMessage('greet')
      greet() {
        return 'lobby';
      }
    }
    const dispatcher = await bootHandlers({ providers: [ChatTopic, LobbyTopic] });

    expect(await answers(dispatcher, 'greet')).toEqual([{ value: 'lobby' }]);
  });

  it('may be provided with useValue when its enhancers are instances', async () => {
    @TopicGateway('chat:{room}')
    @UseGuards(new AllowNobody())
    class Guarded {
      @OnMessage('say')
      say() {}
    }
    const dispatcher = await bootHandlers({ providers: [{ provide: Guarded, useValue: new Guarded() }] });

    expect(await answers(dispatcher, 'say')).toEqual([{ error: expect.objectContaining({ code: 'FORBIDDEN' }) }]);
  });

  it('may be a value that is no object of a class, without harm', async () => {
    const values = [undefined, null, 0, 'text', () => {}, Object.create(null), {}, [], new Map(), class {}];
    const providers = values.map((useValue, i) => ({ provide: `VALUE_${i}`, useValue }));

    await expect(bootHandlers({ providers })).resolves.toBeDefined();
  });
});

describe('a connection hook', () => {
  it('is called once for a class that is a module', async () => {
    let calls = 0;
    @Module({})
    class HookModule {
      @OnConnect()
      hello() {
        calls += 1;
      }
    }
    await (await bootHandlers({ imports: [HookModule] })).connected(connectionOf('ann'));

    expect(calls).toBe(1);
  });

  it('may have several methods in one class', async () => {
    const calls: string[] = [];
    class Hooks {
      @OnConnect()
      one() {
        calls.push('one');
      }
      @OnConnect()
      two() {
        calls.push('two');
      }
    }
    await (await bootHandlers({ providers: [Hooks] })).connected(connectionOf('ann'));

    expect(calls).toEqual(['one', 'two']);
  });
});

/** A class with one method, decorated so; named `Topic.handle`. */
function classWith(decorate: MethodDecorator, gateway: ClassDecorator = () => {}): Type<object> {
  @gateway
  class Topic {
    @decorate
    handle() {}
  }
  return Topic;
}

/** A class whose `Topic.handle` has one parameter, decorated so. */
function classWithParam(
  decorate: ParameterDecorator,
  mark: MethodDecorator = OnMessage('say'),
  options?: TopicGatewayOptions,
): Type<object> {
  @TopicGateway('chat:{room}', options)
  class Topic {
    @mark
    handle(@decorate _value: unknown) {}
  }
  return Topic;
}

const chat = () => TopicGateway('chat:{room}');

@TopicGateway('chat:{id}')
class OtherTopic {}

@Module({ providers: [OtherTopic] })
class OneModule {}

@Module({ providers: [OtherTopic] })
class TwoModule {}

@TopicGateway('chat:{room}')
class TwoSay {
  @OnMessage('say')
  one() {}
  @OnMessage('say')
  two() {}
}

@TopicGateway('chat:{room}')
class TwoJoin {
  @OnSubscribe()
  one() {}
  @OnSubscribe()
  two() {}
}

@TopicGateway('chat:{room}')
class TwoLeave {
  @OnUnsubscribe()
  one() {}
  @OnUnsubscribe()
  two() {}
}

@TopicGateway('chat:{room}')
class PipedValue {
  @OnMessage('say')
  say(@TopicParam('room', Trim) _room: string) {}
}

@UsePipes(Trim)
class PipedHook {
  @OnConnect()
  hello() {}
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientGuard extends AllowNobody {}

class TransientlyGuardedHook {
  @OnConnect()
  @UseGuards(TransientGuard)
  hello() {}
}

@Injectable({ scope: Scope.TRANSIENT })
class TransientHook {
  @OnDisconnect()
  bye() {}
}

@Controller()
class HookController {
  @OnConnect()
  hello() {}
}

@Controller()
@TopicGateway('chat:{room}')
class TopicController {}

describe('the boot fails', () => {
  const cases: [string, ModuleMetadata, string | RegExp][] = [
    [
      'for a bad pattern',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{a}{b}'))] },
      "Topic: @TopicGateway('chat:{a}{b}') has a bad pattern: two parameters need at least one character between them. Write one like 'chat:{room}'.",
    ],
    [
      'for a pattern that is no string',
      { providers: [classWith(OnSubscribe(), TopicGateway(undefined as never))] },
      /has a bad pattern: a pattern must be a string/,
    ],
    [
      'for an option that there is not',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', { presense: true } as never))] },
      'Topic: @TopicGateway() has no option "presense" (there are: history, presence, clientAccess, limits, delivery); remove it.',
    ],
    ...[
      [{ presence: 'yes' }, 'presence', '"yes"'],
      [{ clientAccess: null }, 'clientAccess', 'null'],
    ].map(([options, name, got]): [string, ModuleMetadata, string] => [
      'for a switch that is neither on nor off',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', options as never))] },
      `Topic: the option "${name as string}" of @TopicGateway() must be true or false; got ${got as string}.`,
    ]),
    ...[OnJoin(), OnLeave(), OnPresenceUpdate()].map((decorate): [string, ModuleMetadata, RegExp] => [
      'for a hook of presence where nobody knows who is there',
      { providers: [classWith(decorate, chat())] },
      /^Topic\.handle: @On\w+\(\) would never be called, .*; add { presence: true } to the @TopicGateway\(\) of Topic\.$/,
    ]),
    ...[
      [CurrentConnection(), OnLeave(), '@OnLeave()'] as const,
      [ConnectedSocket(), OnLeave(), '@OnLeave()'] as const,
      [CurrentConnection(), OnPresenceUpdate(), '@OnPresenceUpdate()'] as const,
    ].map(([decorate, hook, name]): [string, ModuleMetadata, string] => [
      'for a connection in a hook of presence',
      { providers: [classWithParam(decorate, hook, { presence: true })] },
      `Topic.handle: parameter 1 asks for a connection, but ${name} concerns a user, whose connections may be on another node or gone; use @MessageBody(), which has the userId.`,
    ]),
    [
      'for a history without bounds',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', { history: {} as never }))] },
      'Topic: @TopicGateway() has a bad option: history.size must be a whole number from 1 to 10000; history.ttlMs must be a whole number of milliseconds from 1000 to 604800000.',
    ],
    [
      'for a history that is no object',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', { history: true as never }))] },
      'Topic: @TopicGateway() has a bad option: history must be an object like { size: 100, ttlMs: 300000 }.',
    ],
    [
      'for limits that are no object',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', { limits: 60 as never }))] },
      'Topic: @TopicGateway() has a bad option: limits must be an object like { commandsPerSecond: 60, commandBurst: 120 }.',
    ],
    [
      'for a burst without a rate',
      { providers: [classWith(OnSubscribe(), TopicGateway('chat:{room}', { limits: { commandBurst: 9 } }))] },
      'Topic: @TopicGateway() has a bad option: limits.commandBurst needs limits.commandsPerSecond beside it.',
    ],
    [
      'for a recover limit above the size of the history',
      {
        providers: [
          classWith(
            OnSubscribe(),
            TopicGateway('chat:{room}', { history: { size: 5, ttlMs: 1_000, recoverLimit: 6 } }),
          ),
        ],
      },
      'Topic: @TopicGateway() has a bad option: history.recoverLimit must be a whole number from 1 to size.',
    ],
    [
      'for more last publications than the history has',
      {
        providers: [
          classWith(OnSubscribe(), TopicGateway('chat:{room}', { history: { size: 5, ttlMs: 1_000, sendLast: 6 } })),
        ],
      },
      'Topic: @TopicGateway() has a bad option: history.sendLast must be a whole number from 0 to size.',
    ],
    [
      'for an option of a history that has another name now',
      {
        providers: [
          classWith(
            OnSubscribe(),
            TopicGateway('chat:{room}', { history: { size: 5, ttlMs: 1_000, sendLatest: true } as never }),
          ),
        ],
      },
      'Topic: @TopicGateway() has a bad option: history.sendLatest is now sendLast: 1.',
    ],
    [
      'for an option of a history that there is not',
      {
        providers: [
          classWith(
            OnSubscribe(),
            TopicGateway('chat:{room}', { history: { size: 1, ttlMs: 1_000, ttl: 1 } as never }),
          ),
        ],
      },
      'Topic: @TopicGateway() has a bad option: history.ttl is not an option; the options are: size, ttlMs, recoverLimit, sendLast.',
    ],
    [
      'for two patterns that could tie',
      { providers: [classWith(OnSubscribe(), chat()), OtherTopic] },
      "Topic ('chat:{room}') and OtherTopic ('chat:{id}') match the same topics, and neither pattern has more literal characters; change one of them.",
    ],
    [
      'for a gateway that is provided twice',
      { imports: [OneModule, TwoModule] },
      'OtherTopic is provided twice, by OneModule and TwoModule; provide it in one module, and import that one.',
    ],
    [
      'for two handlers of one type',
      { providers: [TwoSay] },
      "TwoSay.one and TwoSay.two both have @OnMessage('say'); a gateway takes one. Remove one of them.",
    ],
    [
      'for two @OnSubscribe',
      { providers: [TwoJoin] },
      'TwoJoin.one and TwoJoin.two both have @OnSubscribe(); a gateway takes one. Remove one of them.',
    ],
    [
      'for two @OnUnsubscribe',
      { providers: [TwoLeave] },
      'TwoLeave.one and TwoLeave.two both have @OnUnsubscribe(); a gateway takes one. Remove one of them.',
    ],
    [
      'for a reserved message type',
      { providers: [classWith(OnMessage('realtime:x'), chat())] },
      /^Topic\.handle: @OnMessage\('realtime:x'\) has a bad message type: type must not start with "realtime:"/,
    ],
    [
      'for an empty message type',
      { providers: [classWith(OnMessage(''), chat())] },
      "Topic.handle: @OnMessage('') has a bad message type: type must be a non-empty string. Choose another one.",
    ],
    ...[OnMessage('say'), OnSubscribe(), OnUnsubscribe(), OnJoin(), OnLeave(), OnPresenceUpdate()].map(
      (decorate): [string, ModuleMetadata, RegExp] => [
        'for a topic handler outside of a gateway',
        { providers: [classWith(decorate)] },
        /^Topic\.handle: @On\w+\(.*\) works in a topic gateway; add @TopicGateway\('…'\) to the class, or move the method\.$/,
      ],
    ),
    [
      'for a parameter that the pattern does not have',
      { providers: [classWithParam(TopicParam('romo'))] },
      `Topic.handle: @TopicParam('romo') names no parameter of "chat:{room}"; there are: "room".`,
    ],
    [
      'for the topic in a connection hook',
      { providers: [classWithParam(TopicName(), OnConnect())] },
      'Topic.handle: parameter 1 asks for the topic, but a connection hook has none; remove it.',
    ],
    ...[Param('room'), Query()].map((decorate): [string, ModuleMetadata, RegExp] => [
      'for a parameter decorator of HTTP',
      { providers: [classWithParam(decorate)] },
      /^Topic\.handle: parameter 1 has a decorator that has no effect here; use @MessageBody\(\)/,
    ]),
    [
      'for a guard that Nest would leave out',
      { providers: [{ provide: GuardedTopic, useValue: new GuardedTopic() }] },
      'GuardedTopic.say: Nest does not instantiate AllowNobody for a class that is provided with useValue or useFactory, so it would never run; provide the class itself, or give the decorator an instance (new …).',
    ],
    [
      'for a pipe of a parameter that Nest would leave out',
      { providers: [{ provide: PipedValue, useFactory: () => new PipedValue() }] },
      /^PipedValue\.say: Nest does not instantiate Trim /,
    ],
    [
      'for an enhancer of a class that Nest would leave out',
      { providers: [{ provide: PipedHook, useFactory: () => new PipedHook() }] },
      /^PipedHook\.hello: Nest does not instantiate Trim /,
    ],
    [
      'for a transient enhancer of a class that is no gateway',
      { providers: [TransientlyGuardedHook] },
      'TransientlyGuardedHook.hello: TransientGuard is transient, and Nest makes such enhancers only for a class with @TopicGateway() that it instantiates; remove "scope: Scope.TRANSIENT".',
    ],
    [
      'for a transient provider',
      { providers: [TransientHook] },
      'TransientHook has handlers but is transient, so there is no instance to call; remove "scope: Scope.TRANSIENT".',
    ],
    [
      'for a hook in a controller',
      { controllers: [HookController] },
      'HookController.hello: @OnConnect() works on providers, not on controllers; move it to a class that is listed among the "providers" of a module.',
    ],
    [
      'for a gateway that is a controller',
      { controllers: [TopicController] },
      /^TopicController: @TopicGateway\(\) works on providers, not on controllers;/,
    ],
  ];

  it.each(cases)('%s', async (_why, metadata, message) => {
    const error = await bootHandlers(metadata).catch((thrown: unknown) => thrown as Error);

    expect(error).toBeInstanceOf(RealtimeConfigurationError);
    expect((error as Error).message).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it.each([
    ['a static method', (Topic: Function) => OnMessage('say')(Topic, 'create', { value: () => {} })],
    ['a property', (Topic: Function) => OnMessage('say')(Topic.prototype as object, 'create', undefined as never)],
    ['a getter', (Topic: Function) => OnMessage('say')(Topic.prototype as object, 'create', { get: () => 1 })],
  ])('as soon as a handler decorator is put on %s', (_what, decorate) => {
    class Topic {}

    expect(() => decorate(Topic)).toThrow(
      new RealtimeConfigurationError("Topic.create: @OnMessage('say') works on instance methods only; make it one."),
    );
  });
});
