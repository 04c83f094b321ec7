import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createClient } from '@redis/client';
import { OnSubscribe, RealtimeModule, RealtimeService, TopicGateway } from 'nestjs-realtime';
import { testToken } from 'nestjs-realtime/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { TEST_TOKENS } from '../../../test/helpers/listening-app.js';
import { trustNewServers } from '../../../test/helpers/old-servers.js';
import { startRealtimeApp, typesReceivedBy, type RealtimeApp } from '../../../test/helpers/realtime-app.js';
import { startRedis, type RedisServer } from '../../../test/helpers/redis-server.js';
import { redisBackend, type RedisBackendAsyncOptions } from './redis-backend.js';
import type { RedisBackendOptions } from './connection/redis-options.js';

const QUICK = { commandTimeoutMs: 500, leaseRefreshMs: 100, leaseTtlMs: 2_000 };

@TopicGateway('feed')
class Feed {
  @OnSubscribe()
  enter() {
    return true;
  }
}

@TopicGateway('log', { history: { size: 10, ttlMs: 60_000 } })
class Log {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** Has the address of Redis. */
class Addresses {
  redis = '';
}

let redis: RedisServer;

beforeEach(async () => {
  trustNewServers();
  redis = await startRedis();
});

const node = (options: RedisBackendOptions | RedisBackendAsyncOptions = { url: redis.url, ...QUICK }) =>
  startRealtimeApp({ backend: redisBackend(options), providers: [Feed, Log] });

/** Waits until a node has noticed that Redis is away. */
const lost = ({ realtime }: RealtimeApp) => expect.poll(() => realtime.isAttached).toBe(false);

describe('where Redis is', () => {
  it('may come from a provider', async () => {
    const found = { provide: Addresses, useValue: { redis: redis.url } };
    @Module({ providers: [found], exports: [Addresses] })
    class AddressModule {}
    const useFactory = ({ redis: url }: Addresses): RedisBackendOptions => ({ url, ...QUICK });
    const { realtime } = await node({ imports: [AddressModule], inject: [Addresses], useFactory });
    const other = await node();
    await other.connectAs('ann');
    expect(await realtime.sendToUser('ann', { type: 'hello' })).toMatchObject({ recipients: 1, complete: true });
  });

  it('may be told by a client of the application, which stays as it is', async () => {
    const client = await createClient({ url: redis.url }).connect();
    onTestFinished(() => client.destroy());
    const before = await redis.cli('CLIENT', 'LIST');
    const app = await node({ client, ...QUICK });
    expect((await redis.cli('CLIENT', 'LIST')).split('\n')).toHaveLength(before.split('\n').length + 2);
    await app.close();
    expect(await client.ping()).toBe('PONG');
  });
});

describe('a process without a server', () => {
  async function worker(providers: Type[] = []): Promise<RealtimeService> {
    const realtime = RealtimeModule.forRoot({ providers: [TEST_TOKENS], backend: redisBackend({ url: redis.url }) });
    const module = { module: class WorkerModule {}, imports: [realtime], providers };
    const context = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
    onTestFinished(() => context.close());
    return context.get(RealtimeService);
  }

  it('sends to the connections of all nodes', async () => {
    const app = await node();
    const ann = await app.connectAs('ann');
    const report = await (await worker()).sendToUser('ann', { type: 'job.done' });
    expect(report).toEqual({ recipients: 1, nodes: 1, complete: true });
    await ann.next('job.done');
  });

  it('adds to the history of a topic whose gateway it has', async () => {
    const app = await node();
    const ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'log' });
    expect(await (await worker([Log])).publish('log', { type: 'entry' })).toMatchObject({ offset: 1 });
    expect(await ann.next('entry')).toMatchObject({ offset: 1 });
    expect((await app.realtime.history('log')).publications).toHaveLength(1);
  });

  it('publishes past the history of a topic whose gateway it lacks', async () => {
    const app = await node();
    const ann = await app.connectAs('ann');
    await ann.request({ action: 'subscribe', topic: 'log' });
    expect(await (await worker()).publish('log', { type: 'entry' })).not.toHaveProperty('offset');
    expect(await ann.next('entry')).not.toHaveProperty('offset');
    expect((await app.realtime.history('log')).publications).toEqual([]);
  });
});

describe('too much for Redis', () => {
  it('is a message above maxEnvelopeBytes: it is refused', async () => {
    const { realtime } = await node({ url: redis.url, ...QUICK, maxEnvelopeBytes: 2_048 });
    const send = (length: number) => realtime.broadcast({ type: 'hello', payload: 'x'.repeat(length) });
    await expect(send(2_048)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
    expect(await send(1_024)).toMatchObject({ complete: true });
  });

  it('are more commands than maxPendingCommands: a send reaches this node alone, at once', async () => {
    const app = await node({ url: redis.url, commandTimeoutMs: 60_000, maxPendingCommands: 10 });
    const ann = await app.connectAs('ann');
    redis.pause();
    const waiting = Array.from({ length: 10 }, () => app.realtime.broadcast({ type: 'waiting' }));
    const before = performance.now();
    expect(await app.realtime.broadcast({ type: 'above' })).toEqual({ recipients: 1, nodes: 1, complete: false });
    expect(performance.now() - before).toBeLessThan(30_000);
    redis.resume();
    await Promise.all(waiting);
    expect(await typesReceivedBy(ann)).toEqual([...waiting.map(() => 'waiting'), 'above']);
  });
});

describe('while Redis is away', () => {
  it('the nodes are listed that were known last', async () => {
    const [a, b] = [await node(), await node()];
    await expect.poll(() => a.realtime.nodes()).toHaveLength(2);
    await redis.kill();
    await lost(a);
    const [self, other] = await a.realtime.nodes();
    expect([self!.isAttached, other!.startedAt]).toEqual([false, (await b.realtime.nodes())[0]!.startedAt]);
  });

  it('nobody counts', async () => {
    const { realtime } = await node();
    await redis.kill();
    await expect.poll(() => realtime.isAttached).toBe(false);
    await expect(realtime.counts()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('queries about connections of this node are answered, and others are not', async () => {
    const [a, b] = [await node(), await node()];
    const [ann, bob] = [await a.connectAs('ann'), await b.connectAs('bob')];
    await redis.kill();
    await lost(a);
    expect(await a.realtime.connection(ann.id)).toMatchObject({ userId: 'ann' });
    await expect(a.realtime.connection(bob.id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(a.realtime.connectionsOf('ann')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('who connects is not welcomed, and asked to come back', async () => {
    const app = await node();
    await redis.kill();
    await lost(app);
    const ann = await app.connect({ token: testToken('ann') });
    expect((await ann.nextClose()).code).toBe(3004);
    expect(ann.pending).toEqual([]);
  });

  it('who subscribes is told to try again', async () => {
    const app = await node();
    const ann = await app.connectAs('ann');
    await redis.kill();
    await lost(app);
    const answer = await ann.request({ action: 'subscribe', topic: 'feed' });
    expect(answer).toMatchObject({ type: 'realtime:error', payload: { code: 'UNAVAILABLE', retryable: true } });
  });

  it('the server cannot subscribe anybody', async () => {
    const [a, b] = [await node(), await node()];
    const [ann, bob] = [await a.connectAs('ann'), await b.connectAs('bob')];
    await redis.kill();
    await lost(a);
    expect(await a.realtime.subscribe(ann.id, 'feed')).toBe(false);
    await expect(a.realtime.subscribe(bob.id, 'feed')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('a subscription of this node is ended', async () => {
    const app = await node();
    const ann = await app.connectAs('ann');
    await app.realtime.subscribe(ann.id, 'feed');
    await redis.kill();
    await lost(app);
    expect(await app.realtime.unsubscribe(ann.id, 'feed')).toBe(true);
    await ann.next('realtime:unsubscribed');
  });

  it('who connects is welcomed when Redis comes back in time', async () => {
    const app = await node({ url: redis.url });
    await redis.kill();
    await lost(app);
    const ann = await app.connect({ token: testToken('ann') });
    await redis.restart();
    await ann.next('realtime:welcome');
    expect(await app.realtime.sendToUser('ann', { type: 'hello' })).toMatchObject({ recipients: 1 });
  });
});
