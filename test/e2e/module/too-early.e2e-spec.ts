import { Global, Injectable, Module, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { RealtimeModule, RealtimeService, TopicGateway } from 'nestjs-realtime';
import { describe, expect, it } from 'vitest';
import { listen, TEST_TOKENS } from '../../helpers/listening-app.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { SERVICE_CALLS } from '../../helpers/service-calls.js';

@TopicGateway('room:{id}', { presence: true, history: { size: 3, ttlMs: 1_000 } })
class Rooms {}

const outcomeOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'success',
    (error: unknown) => error,
  );

const REFUSED = { code: 'UNAVAILABLE', message: expect.stringContaining('onApplicationBootstrap()') };

describe.each(SERVICE_CALLS)('%s', (_method, call) => {
  it('rejects in a constructor', async () => {
    @Injectable()
    class Eager {
      readonly outcome: Promise<unknown>;
      constructor(realtime: RealtimeService) {
        this.outcome = outcomeOf(call(realtime));
      }
    }
    const { app } = await startRealtimeApp({ providers: [Rooms, Eager] });
    expect(await app.get(Eager).outcome).toMatchObject(REFUSED);
  });

  it('is answered in onApplicationBootstrap()', async () => {
    @Injectable()
    class Patient implements OnApplicationBootstrap {
      outcome: unknown;
      constructor(private readonly realtime: RealtimeService) {}
      async onApplicationBootstrap() {
        this.outcome = await outcomeOf(call(this.realtime));
      }
    }
    const { app } = await startRealtimeApp({ providers: [Rooms, Patient] });
    expect(app.get(Patient).outcome).toBe('success');
  });

  it('rejects once the application has been closed', async () => {
    const { app, realtime } = await startRealtimeApp({ providers: [Rooms] });
    await app.close();
    expect(await outcomeOf(call(realtime))).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'The application has been closed, so nothing was sent or asked.',
    });
  });
});

it('The calls are of every method that sends, asks or gives an order', () => {
  const others = ['constructor', 'isDraining', 'isAttached', 'events$', 'health', 'drain', 'acceptFrom'];
  const methods = Object.getOwnPropertyNames(RealtimeService.prototype).filter((name) => !others.includes(name));
  expect(new Set(SERVICE_CALLS.map(([call]) => /^\w+/.exec(call)![0]))).toEqual(new Set(methods));
});

it('A send from onModuleInit() of a module that is initialised before ours rejects', async () => {
  let outcome: unknown;
  @Injectable()
  class Early implements OnModuleInit {
    static realtime: RealtimeService;
    async onModuleInit() {
      outcome = await outcomeOf(Early.realtime.broadcast({ type: 'news' }));
    }
  }
  @Global()
  @Module({ providers: [Early] })
  class EarlyModule {}
  @Injectable()
  class Giver {
    constructor(realtime: RealtimeService) {
      Early.realtime = realtime;
    }
  }
  // Nest begins with the global modules, in their order.
  await listen({ imports: [EarlyModule, RealtimeModule.forRoot({ providers: [TEST_TOKENS] })], providers: [Giver] });
  expect(outcome).toMatchObject(REFUSED);
});

it('A node says that it is attached only while it runs', async () => {
  @Injectable()
  class Eager {
    readonly isAttached: boolean;
    constructor(realtime: RealtimeService) {
      this.isAttached = realtime.isAttached;
    }
  }
  const { app, realtime } = await startRealtimeApp({ providers: [Eager] });
  const running = realtime.isAttached;
  await app.close();
  expect([app.get(Eager, { strict: false }).isAttached, running, realtime.isAttached]).toEqual([false, true, false]);
});

it('A listener of a constructor hears of what happens later', async () => {
  @Injectable()
  class Listener {
    readonly types: string[] = [];
    constructor(realtime: RealtimeService) {
      realtime.events$.subscribe(({ type }) => this.types.push(type));
    }
  }
  const app = await startRealtimeApp({ providers: [Listener] });
  await app.connectAs('ann');
  expect(app.app.get(Listener).types).toEqual(['connected']);
});
