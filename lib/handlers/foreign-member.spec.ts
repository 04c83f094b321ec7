import 'reflect-metadata';
import { Injectable, Scope, type Provider } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { bootHandlers } from '../../test/helpers/handler-harness.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import { RealtimeConfigurationError } from '../errors/realtime-configuration.error.js';

@TopicGateway('chat:{room}')
class WithMessage {
  @SubscribeMessage('say')
  say() {}
}

@TopicGateway('chat:{room}')
class WithOddMessage {
  @SubscribeMessage({ cmd: 'say' })
  say() {}
}

@TopicGateway('chat:{room}')
class WithBoth {
  @OnMessage('say')
  @SubscribeMessage('say')
  say() {}
}

@TopicGateway('chat:{room}')
class WithServer {
  @WebSocketServer()
  server: unknown;
}

@TopicGateway('chat:{room}')
class WithConnection {
  handleConnection() {}
}

@TopicGateway('chat:{room}')
class WithDisconnection {
  handleDisconnect() {}
}

@TopicGateway('chat:{room}')
class WithInit {
  afterInit() {}
}

@TopicGateway('chat:{room}')
class WithArrow {
  handleConnection = () => {};
}

abstract class Base {
  @WebSocketServer()
  protected server: unknown;
}

@TopicGateway('chat:{room}')
class WithInheritedServer extends Base {}

@TopicGateway('chat:{room}')
class WithInheritedMessage extends WithMessage {}

@TopicGateway('chat:{room}')
@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  handleDisconnect() {}
}

const SERVER =
  '@WebSocketServer() is never set in a @TopicGateway(); inject RealtimeService, which sends to topics and users.';
const neverCalled = (method: string, cure: string) =>
  `Nest calls ${method}() in a @WebSocketGateway(), but never in a @TopicGateway(); ${cure}.`;

describe('the boot fails for a topic gateway', () => {
  it.each<[string, Provider, string]>([
    [
      'with @SubscribeMessage()',
      WithMessage,
      "WithMessage.say: @SubscribeMessage('say') is never called in a @TopicGateway(); replace it with @OnMessage('say').",
    ],
    [
      'with @SubscribeMessage() for a message that is no string',
      WithOddMessage,
      "WithOddMessage.say: @SubscribeMessage() is never called in a @TopicGateway(); replace it with @OnMessage('…').",
    ],
    [
      'with @SubscribeMessage() beside @OnMessage()',
      WithBoth,
      "WithBoth.say: @SubscribeMessage('say') is never called in a @TopicGateway(); replace it with @OnMessage('say').",
    ],
    [
      'that inherits @SubscribeMessage()',
      WithInheritedMessage,
      "WithInheritedMessage.say: @SubscribeMessage('say') is never called in a @TopicGateway(); replace it with @OnMessage('say').",
    ],
    ['with @WebSocketServer()', WithServer, `WithServer.server: ${SERVER}`],
    ['that inherits @WebSocketServer()', WithInheritedServer, `WithInheritedServer.server: ${SERVER}`],
    [
      'with handleConnection()',
      WithConnection,
      `WithConnection.handleConnection: ${neverCalled('handleConnection', 'mark it with @OnConnect()')}`,
    ],
    [
      'with handleConnection as an arrow function',
      WithArrow,
      `WithArrow.handleConnection: ${neverCalled('handleConnection', 'mark it with @OnConnect()')}`,
    ],
    [
      'with handleDisconnect()',
      WithDisconnection,
      `WithDisconnection.handleDisconnect: ${neverCalled('handleDisconnect', 'mark it with @OnDisconnect()')}`,
    ],
    [
      'with handleDisconnect() that is made per request',
      PerRequest,
      `PerRequest.handleDisconnect: ${neverCalled('handleDisconnect', 'mark it with @OnDisconnect()')}`,
    ],
    [
      'with afterInit()',
      WithInit,
      `WithInit.afterInit: ${neverCalled('afterInit', 'call it onApplicationBootstrap()')}`,
    ],
    [
      'with afterInit() that is provided as a value',
      { provide: 'TOPIC', useValue: new WithInit() },
      `WithInit.afterInit: ${neverCalled('afterInit', 'call it onApplicationBootstrap()')}`,
    ],
  ])('%s', async (_what, provider, message) => {
    const error = await bootHandlers({ providers: [provider] }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RealtimeConfigurationError);
    expect((error as Error).message).toContain(message);
  });
});

describe('the boot succeeds', () => {
  @TopicGateway('chat:{room}')
  class Called {
    @OnConnect()
    handleConnection() {}
  }

  @WebSocketGateway()
  @TopicGateway('chat:{room}')
  class GatewayOfBoth {
    @WebSocketServer()
    server: unknown;
    @SubscribeMessage('say')
    say() {}
    handleConnection() {}
  }

  @TopicGateway('chat:{room}')
  class Overriding extends WithMessage {
    @OnMessage('say')
    override say() {}
  }

  @TopicGateway('chat:{room}')
  class WithGetter {
    get afterInit(): never {
      throw new Error('not to be read');
    }
  }

  @WebSocketGateway()
  class OwnGateway {
    @OnConnect()
    hello() {}
    handleConnection() {}
  }

  it.each([
    ['for handleConnection() that @OnConnect() marks', Called],
    ['for a class that is a gateway of Nest as well', GatewayOfBoth],
    ['for a method that overrides one with @SubscribeMessage()', Overriding],
    ['for a getter of such a name, which is not called', WithGetter],
    ['for a gateway of Nest that has a connection hook', OwnGateway],
  ])('%s', async (_what, provider) => {
    await expect(bootHandlers({ providers: [provider] })).resolves.toBeDefined();
  });
});
