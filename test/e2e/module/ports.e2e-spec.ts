import { Inject, Injectable, Module, type Provider, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  Authenticator,
  inMemoryBackend,
  JwtVerifier,
  RealtimeModule,
  RealtimeService,
  type Authenticated,
  type DeliveryReport,
  type JwtClaims,
  type RealtimeBackend,
} from 'nestjs-realtime';
import { Clock, ConnectionRegistry, IdGenerator, MessageBus, PubSubManager } from 'nestjs-realtime/ports';
import { startTestApp, TestJwtVerifier, testToken, type TestApp } from 'nestjs-realtime/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InMemoryConnectionRegistry } from '../../../lib/adapters/in-memory/in-memory-connection-registry.js';
import { InMemoryMessageBus } from '../../../lib/adapters/in-memory/in-memory-message-bus.js';
import { InMemoryPubSubManager } from '../../../lib/adapters/in-memory/in-memory-pub-sub-manager.js';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';

class MyVerifier implements JwtVerifier {
  async verify(): Promise<JwtClaims> {
    return { sub: 'verified', exp: 9_000_000_000 };
  }
}

class MyAuthenticator implements Authenticator {
  async authenticate(): Promise<Authenticated> {
    return { identity: { userId: 'authenticated', roles: new Set(), permissions: new Set(), metadata: {} } };
  }
}

class MyRegistry extends InMemoryConnectionRegistry {
  override get userCount(): number {
    return 77;
  }
}

class MyPubSub extends InMemoryPubSubManager {
  override get topicCount(): number {
    return 78;
  }
}

class MyBus extends InMemoryMessageBus {
  override publish(): DeliveryReport {
    return { recipients: 79, nodes: 3, complete: true };
  }
}

class MyClock extends Clock {
  now(): number {
    return Date.UTC(2020, 0, 1);
  }
}

class MyIds extends IdGenerator {
  #last = 0;

  next(): string {
    return `my-own-id-${(this.#last += 1)}`;
  }
}

/** Everything by which a replacement of a port could be noticed from outside. */
async function observe({ app, connect }: TestApp): Promise<object> {
  const client = await connect({ token: testToken('ann') });
  const { payload, timestamp } = await client.next('realtime:welcome');
  const realtime = app.get(RealtimeService);
  const { users, topics } = await realtime.counts();
  const { recipients } = await realtime.broadcast({ type: 'hello' });
  return { userId: payload.userId, connectionId: payload.connectionId, timestamp, users, topics, recipients };
}

const PORTS: [string, { provide: Type | Function; useClass: Type }, object][] = [
  ['JwtVerifier', { provide: JwtVerifier, useClass: MyVerifier }, { userId: 'verified' }],
  ['Authenticator', { provide: Authenticator, useClass: MyAuthenticator }, { userId: 'authenticated' }],
  ['ConnectionRegistry', { provide: ConnectionRegistry, useClass: MyRegistry }, { users: 77 }],
  ['PubSubManager', { provide: PubSubManager, useClass: MyPubSub }, { topics: 78 }],
  ['MessageBus', { provide: MessageBus, useClass: MyBus }, { recipients: 79 }],
  ['Clock', { provide: Clock, useClass: MyClock }, { timestamp: '2020-01-01T00:00:00.000Z' }],
  ['IdGenerator', { provide: IdGenerator, useClass: MyIds }, { connectionId: 'my-own-id-1.my-own-id-2' }],
];

describe.each(PORTS)('%s can be replaced', (_name, replacement, effect) => {
  it('in the call of forRoot', async () => {
    const providers = [TEST_TOKENS, replacement as Provider];
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers })] });
    expect(await observe(app)).toMatchObject(effect);
  });

  it('in the call of forRootAsync', async () => {
    const providers = [TEST_TOKENS, replacement as Provider];
    const app = await listen({ imports: [RealtimeModule.forRootAsync({ useFactory: () => ({}), providers })] });
    expect(await observe(app)).toMatchObject(effect);
  });

  it('by overrideProvider in a test', async () => {
    const module = await Test.createTestingModule({
      imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })],
    })
      .overrideProvider(replacement.provide)
      .useClass(replacement.useClass)
      .compile();
    const app = await startTestApp(module.createNestApplication({ logger: false }));
    onTestFinished(() => app.close());
    expect(await observe(app)).toMatchObject(effect);
  });
});

describe('A replacement may be', () => {
  async function userWith(provider: Provider): Promise<object> {
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [provider] })] });
    return observe(app);
  }

  it('a value', async () => {
    const useValue = { verify: () => Promise.resolve({ sub: 'verified', exp: 9_000_000_000 }) };
    expect(await userWith({ provide: JwtVerifier, useValue })).toMatchObject({ userId: 'verified' });
  });

  it('made by a factory with other ports', async () => {
    const useFactory = (clock: Clock) => ({
      verify: () => Promise.resolve({ sub: typeof clock.now(), exp: 9_000_000_000 }),
    });
    expect(await userWith({ provide: JwtVerifier, inject: [Clock], useFactory })).toMatchObject({ userId: 'number' });
  });

  it('the last of several for one port', async () => {
    const providers = [TEST_TOKENS, { provide: JwtVerifier, useClass: MyVerifier }];
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers })] });
    expect(await observe(app)).toMatchObject({ userId: 'verified' });
  });
});

describe('The option jwt', () => {
  it('is not needed with a JwtVerifier of the application', async () => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS] })] });
    expect(await observe(app)).toMatchObject({ userId: 'ann' });
  });

  it('is not needed where a test puts another JwtVerifier in place', async () => {
    const module = await Test.createTestingModule({ imports: [RealtimeModule.forRoot({})] })
      .overrideProvider(JwtVerifier)
      .useClass(TestJwtVerifier)
      .compile();
    const app = await startTestApp(module.createNestApplication({ logger: false }));
    onTestFinished(() => app.close());
    expect(await observe(app)).toMatchObject({ userId: 'ann' });
  });
});

@Module({ providers: [{ provide: 'GREETING', useValue: 'from elsewhere' }], exports: ['GREETING'] })
class GreetingModule {}

@Injectable()
class GreetingBus extends InMemoryMessageBus {
  constructor(@Inject('GREETING') readonly greeting: string) {
    super();
  }
}

describe('A backend', () => {
  const mine: RealtimeBackend = { name: 'mine', providers: [{ provide: MessageBus, useClass: MyBus }] };

  it('puts its bus behind the port', async () => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ backend: mine, providers: [TEST_TOKENS] })] });
    expect(await observe(app)).toMatchObject({ recipients: 79 });
  });

  it('may be given to forRootAsync', async () => {
    const useFactory = () => ({});
    const realtime = RealtimeModule.forRootAsync({ useFactory, backend: mine, providers: [TEST_TOKENS] });
    expect(await observe(await listen({ imports: [realtime] }))).toMatchObject({ recipients: 79 });
  });

  it('may need something of another module', async () => {
    const providers = [{ provide: MessageBus, useClass: GreetingBus }];
    const backend = { name: 'greeting', imports: [GreetingModule], providers };
    const app = await listen({ imports: [RealtimeModule.forRoot({ backend, providers: [TEST_TOKENS] })] });
    expect(app.app.get<GreetingBus>(MessageBus).greeting).toBe('from elsewhere');
  });

  it('yields to a single provider', async () => {
    const providers = [TEST_TOKENS, ...inMemoryBackend().providers];
    const app = await listen({ imports: [RealtimeModule.forRoot({ backend: mine, providers })] });
    expect(await observe(app)).toMatchObject({ recipients: 1 });
  });
});

describe('A replacement', () => {
  class BusWithHooks extends InMemoryMessageBus {
    readonly calls: string[] = [];

    onModuleInit = () => void this.calls.push('onModuleInit');
    onApplicationBootstrap = () => void this.calls.push('onApplicationBootstrap');
    onModuleDestroy = () => void this.calls.push('onModuleDestroy');
    beforeApplicationShutdown = () => void this.calls.push('beforeApplicationShutdown');
    onApplicationShutdown = () => void this.calls.push('onApplicationShutdown');
  }

  it.each([
    ['class', () => ({ provide: MessageBus, useClass: BusWithHooks })],
    ['factory', () => ({ provide: MessageBus, useFactory: () => new BusWithHooks() })],
    ['value', () => ({ provide: MessageBus, useValue: new BusWithHooks() })],
  ])('has its hooks called once (%s)', async (_how, provider) => {
    const app = await listen({ imports: [RealtimeModule.forRoot({ providers: [TEST_TOKENS, provider()] })] });
    const bus = app.app.get<BusWithHooks>(MessageBus);
    await app.close();
    expect(bus.calls).toEqual([
      'onModuleInit',
      'onApplicationBootstrap',
      'onModuleDestroy',
      'beforeApplicationShutdown',
      'onApplicationShutdown',
    ]);
  });

  it('is opened once and closed once', async () => {
    const calls: string[] = [];
    class WatchedBus extends InMemoryMessageBus {
      override open(...args: Parameters<InMemoryMessageBus['open']>): void {
        calls.push('open');
        super.open(...args);
      }
      override close(): void {
        calls.push('close');
        super.close();
      }
    }
    const providers = [TEST_TOKENS, { provide: MessageBus, useClass: WatchedBus }];
    await (await listen({ imports: [RealtimeModule.forRoot({ providers })] })).close();
    expect(calls).toEqual(['open', 'close']);
  });
});
