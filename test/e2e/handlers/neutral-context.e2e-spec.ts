import { AsyncLocalStorage } from 'node:async_hooks';
import {
  OnConnect,
  OnDisconnect,
  OnSubscribe,
  OnUnsubscribe,
  RealtimeService,
  TopicGateway,
  user,
} from 'nestjs-realtime';
import { describe, expect, it, vi } from 'vitest';
import { startRealtimeApp } from '../../helpers/realtime-app.js';

const tenant = new AsyncLocalStorage<string>();

/** Boots an application whose hooks note in which tenant's context they run, with a user in the lobby. */
async function bootNoting() {
  const seen: [string, string | undefined][] = [];
  const note = (hook: string) => void seen.push([hook, tenant.getStore()]);

  @TopicGateway('chat:{room}')
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
    join() {
      note('subscribe');
      return true;
    }
    @OnUnsubscribe()
    left() {
      note('unsubscribe');
    }
  }

  const isRevoked = () => {
    note('isRevoked');
    return false;
  };
  const app = await startRealtimeApp({ providers: [ChatTopic], options: { isRevoked } });
  const bob = await app.connectAs('bob');
  await bob.request({ action: 'subscribe', topic: 'chat:lobby' });
  seen.splice(0);
  return { realtime: app.app.get(RealtimeService), bob, seen };
}

describe("the hooks of a user, in another tenant's request", () => {
  it('run in no context when the request disconnects the user', async () => {
    const { realtime, seen } = await bootNoting();
    await tenant.run('acme', () => realtime.disconnect(user('bob')));
    await vi.waitFor(() => expect(seen).toHaveLength(2), 10_000);
    expect(seen).toEqual([
      ['unsubscribe', undefined],
      ['disconnect', undefined],
    ]);
  });

  it('run in no context when the request changes the rights of the user', async () => {
    const { realtime, seen } = await bootNoting();
    await tenant.run('acme', () => realtime.changeRights(user('bob'), { roles: ['admin'] }));
    await vi.waitFor(() => expect(seen).toEqual([['subscribe', undefined]]), 10_000);
  });

  it('run in no context when the request unsubscribes the user', async () => {
    const { realtime, bob, seen } = await bootNoting();
    await tenant.run('acme', () => realtime.unsubscribe(bob.id, 'chat:lobby'));
    await vi.waitFor(() => expect(seen).toEqual([['unsubscribe', undefined]]), 10_000);
  });

  it('run in no context when the request has their tokens judged again, from a timer', async () => {
    const { realtime, seen } = await bootNoting();
    tenant.run('acme', () => setTimeout(() => void realtime.revalidate(user('bob')), 1));
    await vi.waitFor(() => expect(seen).toEqual([['isRevoked', undefined]]), 10_000);
  });

  it('include those that listen to events', async () => {
    const { realtime, bob, seen } = await bootNoting();
    realtime.events$.subscribe(({ type }) => void seen.push([type, tenant.getStore()]));
    await tenant.run('acme', () => realtime.unsubscribe(bob.id, 'chat:lobby'));
    await vi.waitFor(() => expect(seen).toHaveLength(2), 10_000);
    expect(seen).toEqual(
      expect.arrayContaining([
        ['unsubscribed', undefined],
        ['unsubscribe', undefined],
      ]),
    );
  });
});
