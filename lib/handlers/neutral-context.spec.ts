import 'reflect-metadata';
import { NeutralContext } from './neutral-context.js';
import { RealtimeTracing } from '../ports/realtime-tracing.js';
import { AsyncLocalStorage } from 'node:async_hooks';
import { Observable } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { bootHandlers, connectionOf, send } from '../../test/helpers/handler-harness.js';
import { OnConnect } from '../decorators/on-connect.decorator.js';
import { OnDisconnect } from '../decorators/on-disconnect.decorator.js';
import { OnJoin } from '../decorators/on-join.decorator.js';
import { OnLeave } from '../decorators/on-leave.decorator.js';
import { OnMessage } from '../decorators/on-message.decorator.js';
import { OnSubscribe } from '../decorators/on-subscribe.decorator.js';
import { OnUnsubscribe } from '../decorators/on-unsubscribe.decorator.js';
import { TopicGateway } from '../decorators/topic-gateway.decorator.js';

const tenant = new AsyncLocalStorage<string>();
const seen: unknown[] = [];
const note = (what: string) => void seen.push([what, tenant.getStore()]);

@TopicGateway('chat:{room}', { presence: true })
class ChatTopic {
  @OnConnect()
  connect() {
    note('connect');
  }
  @OnDisconnect()
  disconnect() {
    note('disconnect');
  }
  @OnSubscribe()
  async subscribe() {
    await Promise.resolve();
    note('subscribe');
    return true;
  }
  @OnUnsubscribe()
  unsubscribe() {
    note('unsubscribe');
  }
  @OnJoin()
  join() {
    note('join');
  }
  @OnLeave()
  leave() {
    note('leave');
  }
  @OnMessage('say')
  say() {
    note('message');
  }
  @OnMessage('watch')
  watch() {
    return new Observable(() => () => note('teardown'));
  }
}

const ann = connectionOf('ann');

beforeEach(() => void seen.splice(0));

describe('a handler', () => {
  it.each([
    ['connect', (dispatcher) => dispatcher.connected(ann)],
    ['disconnect', (dispatcher) => dispatcher.disconnected(ann, { code: 1000, reason: '' })],
    ['subscribe', (dispatcher) => dispatcher.subscribe(ann, 'chat:x', undefined, 'reauthorize')],
    ['unsubscribe', (dispatcher) => dispatcher.unsubscribed(ann, 'chat:x')],
    ['join', (dispatcher) => dispatcher.presenceChanged('chat:x', { kind: 'joined', userId: 'ann' })],
    ['leave', (dispatcher) => dispatcher.presenceChanged('chat:x', { kind: 'left', userId: 'ann' })],
    ['message', (dispatcher) => send(dispatcher, 'say').sink.all()],
    [
      'teardown',
      async (dispatcher) => {
        const { run } = send(dispatcher, 'watch');
        await run.released?.then(
          () => undefined,
          () => undefined,
        );
        void run.cancel('cancel');
      },
    ],
  ] satisfies [string, (dispatcher: Awaited<ReturnType<typeof bootHandlers>>) => unknown][])(
    'does not run in the AsyncLocalStorage of the one who caused it: %s',
    async (what, call) => {
      const dispatcher = await bootHandlers({ providers: [ChatTopic] });
      await tenant.run('of somebody else', async () => call(dispatcher));

      expect(seen).toEqual([[what, undefined]]);
    },
  );

  it('leaves the caller in its own AsyncLocalStorage', async () => {
    const dispatcher = await bootHandlers({ providers: [ChatTopic] });
    const after = await tenant.run('mine', async () => {
      await dispatcher.unsubscribed(ann, 'chat:x');
      return tenant.getStore();
    });

    expect(after).toBe('mine');
  });
});

it('keeps the active span of the tracer', () => {
  const tracing = new RealtimeTracing();
  const neutral = new NeutralContext(tracing);
  tracing.tracer = {
    tellsClients: false,
    start: () => Promise.reject(new Error('not called')) as never,
    failed: () => undefined,
    bind: (work) => (() => ['bound', work()]) as never,
  };
  expect(neutral.run(() => 1)).toEqual(['bound', 1]);
});
