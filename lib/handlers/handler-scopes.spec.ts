import 'reflect-metadata';
import {
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_FILTER, ContextIdFactory, ModuleRef, REQUEST, type ContextId, type HostComponentInfo } from '@nestjs/core';
import { map, of } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answers, bootHandlers, collectLogs, connectionOf } from '../../test/helpers/handler-harness.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';
import type { RealtimeContext } from '../decorators/realtime-context.js';

@Injectable()
class Counter {
  instances = 0;
}

@Injectable({ scope: Scope.REQUEST })
class Visit {
  readonly number: number;
  constructor(
    @Inject(REQUEST) readonly context: RealtimeContext,
    counter: Counter,
  ) {
    this.number = counter.instances += 1;
  }
}

@Injectable({ scope: Scope.REQUEST })
class VisitGuard implements CanActivate {
  constructor(private readonly visit: Visit) {}
  canActivate = () => this.visit.context.connection?.userId === 'ann';
}

@Injectable({ scope: Scope.REQUEST })
class VisitInterceptor implements NestInterceptor {
  constructor(private readonly visit: Visit) {}
  intercept = (_context: unknown, next: CallHandler) =>
    next.handle().pipe(map((value) => [`visit ${this.visit.number}`, value]));
}

@Injectable({ scope: Scope.REQUEST })
class VisitFilter implements ExceptionFilter {
  constructor(private readonly visit: Visit) {}
  catch = (exception: Error) => `${exception.message} at visit ${this.visit.number}`;
}

@TopicGateway('chat:{room}')
class VisitTopic {
  constructor(
    private readonly visit: Visit,
    private readonly moduleRef: ModuleRef,
  ) {}

  @OnMessage('visit')
  number() {
    return this.visit.number;
  }

  @OnMessage('topic')
  topic() {
    return this.visit.context.topic;
  }

  @OnMessage('stream')
  stream() {
    return of(this.visit.number);
  }

  @OnMessage('again')
  async again(_connection: unknown, _payload: unknown, context: RealtimeContext) {
    const visit = await this.moduleRef.resolve(Visit, ContextIdFactory.getByRequest(context));
    return [this.visit.number, visit.number];
  }
}

@TopicGateway('chat:{room}')
@UseGuards(VisitGuard)
class EnhancedTopic {
  @OnMessage('intercepted')
  @UseInterceptors(VisitInterceptor)
  intercepted() {
    return 'value';
  }

  @OnMessage('filtered')
  @UseFilters(VisitFilter)
  filtered() {
    throw new Error('failed');
  }

  @OnMessage('broken')
  broken() {
    throw new Error('failed');
  }
}

const scoped = [Counter, Visit];
const visits = [VisitTopic, ...scoped];

describe('a request-scoped topic gateway', () => {
  it('is made anew for every message', async () => {
    const dispatcher = await bootHandlers({ providers: visits });

    expect([await answers(dispatcher, 'visit'), await answers(dispatcher, 'visit')]).toEqual([
      [{ value: 1 }],
      [{ value: 2 }],
    ]);
  });

  it('gets the context of the message as its REQUEST', async () => {
    expect(await answers(await bootHandlers({ providers: visits }), 'topic')).toEqual([{ value: 'chat:lobby' }]);
  });

  it('resolves other providers in the context of the message', async () => {
    expect(await answers(await bootHandlers({ providers: visits }), 'again')).toEqual([{ value: [1, 1] }]);
  });

  it('may stream its replies', async () => {
    expect(await answers(await bootHandlers({ providers: visits }), 'stream')).toEqual([
      { item: 1 },
      { complete: true },
    ]);
  });

  it('answers INTERNAL when it cannot be made', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Unmakeable {
      constructor() {
        throw new Error('no database');
      }
    }
    @TopicGateway('chat:{room}')
    class UnmakeableTopic {
      constructor(readonly dependency: Unmakeable) {}
      @OnMessage('say')
      say() {}
    }
    collectLogs();
    const dispatcher = await bootHandlers({ providers: [UnmakeableTopic, Unmakeable] });

    expect(await answers(dispatcher, 'say')).toEqual([{ error: expect.objectContaining({ code: 'INTERNAL' }) }]);
  });

  it('keeps the scope that @Injectable() gives it, on either side of @TopicGateway()', async () => {
    const instances = [0, 0];
    @Injectable({ scope: Scope.REQUEST })
    @TopicGateway('above:{x}')
    class Above {
      constructor() {
        instances[0]! += 1;
      }
      @OnMessage('say')
      say() {}
    }
    @TopicGateway('below:{x}')
    @Injectable({ scope: Scope.REQUEST })
    class Below {
      constructor() {
        instances[1]! += 1;
      }
      @OnMessage('say')
      say() {}
    }
    const dispatcher = await bootHandlers({ providers: [Above, Below] });
    for (const topic of ['above:1', 'above:2', 'below:1', 'below:2']) await answers(dispatcher, 'say', 0, { topic });

    expect(instances).toEqual([2, 2]);
  });
});

describe('a request-scoped enhancer of a topic gateway', () => {
  const providers = [EnhancedTopic, ...scoped];

  it('guards with what it knows of the message', async () => {
    const dispatcher = await bootHandlers({ providers });
    const [answer] = await answers(dispatcher, 'intercepted', 0, { connection: connectionOf('bob') });

    expect(answer).toMatchObject({ error: { code: 'FORBIDDEN' } });
  });

  it('shares its dependencies with the others of the same message', async () => {
    const dispatcher = await bootHandlers({ providers });

    expect(await answers(dispatcher, 'intercepted')).toEqual([{ value: ['visit 1', 'value'] }]);
  });

  it('filters exceptions', async () => {
    const dispatcher = await bootHandlers({ providers });

    expect(await answers(dispatcher, 'filtered')).toEqual([{ value: 'failed at visit 1' }]);
  });

  it('filters exceptions when it is global', async () => {
    const dispatcher = await bootHandlers({
      providers: [...providers, { provide: APP_FILTER, useClass: VisitFilter }],
    });

    expect(await answers(dispatcher, 'broken')).toEqual([{ value: 'failed at visit 1' }]);
  });
});

describe('a transient enhancer of a topic gateway', () => {
  it('is made for it', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class CountingGuard implements CanActivate {
      constructor(private readonly counter: Counter) {}
      canActivate = () => this.counter.instances === 0;
    }
    @TopicGateway('chat:{room}')
    class GuardedTopic {
      @OnMessage('say')
      @UseGuards(CountingGuard)
      say() {
        return 'said';
      }
    }

    expect(await answers(await bootHandlers({ providers: [GuardedTopic, Counter] }), 'say')).toEqual([
      { value: 'said' },
    ]);
  });
});

describe('a request-scoped provider with a connection hook', () => {
  it('is made anew for every call', async () => {
    const seen: number[] = [];
    @Injectable()
    class Hook {
      constructor(private readonly visit: Visit) {}
      @OnConnect()
      hello() {
        seen.push(this.visit.number);
      }
    }
    const dispatcher = await bootHandlers({ providers: [Hook, ...scoped] });
    await dispatcher.connected(connectionOf('ann'));
    await dispatcher.connected(connectionOf('ann'));

    expect(seen).toEqual([1, 2]);
  });
});

describe('a durable provider', () => {
  it('is shared by the messages that the strategy of the application puts together', async () => {
    const tenants = new Map<string, ContextId>();
    ContextIdFactory.apply({
      attach(contextId: ContextId, request: RealtimeContext) {
        const tenant = request.connection!.userId;
        const parent = tenants.get(tenant) ?? { id: tenants.size + 1000 };
        tenants.set(tenant, parent);
        return { resolve: (info: HostComponentInfo) => (info.isTreeDurable ? parent : contextId), payload: { tenant } };
      },
    });
    onTestFinished(() => ContextIdFactory.apply(undefined as never));

    @Injectable({ scope: Scope.REQUEST, durable: true })
    class TenantStore {
      readonly number: number;
      constructor(
        @Inject(REQUEST) readonly payload: { tenant: string },
        counter: Counter,
      ) {
        this.number = counter.instances += 1;
      }
    }
    @TopicGateway('chat:{room}')
    class TenantTopic {
      constructor(private readonly store: TenantStore) {}
      @OnMessage('say')
      say() {
        return [this.store.number, this.store.payload];
      }
    }
    const dispatcher = await bootHandlers({ providers: [TenantTopic, TenantStore, Counter] });
    const replies = [];
    for (const user of ['ann', 'bob', 'ann']) {
      replies.push(...(await answers(dispatcher, 'say', 0, { connection: connectionOf(user) })));
    }

    expect(replies).toEqual([
      { value: [1, { tenant: 'ann' }] },
      { value: [2, { tenant: 'bob' }] },
      { value: [1, { tenant: 'ann' }] },
    ]);
  });
});
