import { OnSubscribe, TopicGateway, type RealtimeOptions } from 'nestjs-realtime';
import { redisBackend } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LocalDelivery } from '../../../lib/delivery/local-delivery.js';
import { watchForCrashes } from '../../helpers/crash-watch.js';
import { PausingClient } from '../../helpers/pausing-client.js';
import { startRealtimeApp, type RealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';

const TOPIC = 'long:1';
/** With these payloads more than the buffers of the operating system take. */
const COUNT = 1_200;
const PAYLOAD = 'x'.repeat(12_000);
const SIZE = 1_500;
const DEADLINE = { timeout: 60_000 };

@TopicGateway('long:{name}', { history: { size: SIZE, ttlMs: 600_000 } })
class LongTopic {
  @OnSubscribe()
  join() {
    return true;
  }
}

/** A node over a Redis of its own, and a client that recovers and does not read: the node stands in the middle. */
class Play {
  private constructor(
    readonly redis: RedisServer,
    readonly proxy: TcpProxy,
    readonly app: RealtimeApp,
    readonly epoch: string,
    readonly client: PausingClient,
  ) {}

  static async begin(options: RealtimeOptions = {}): Promise<Play> {
    const redis = await startRedis();
    const proxy = await startTcpProxy(redis.port);
    const backend = redisBackend({ url: `redis://127.0.0.1:${proxy.port}`, lingerMs: 50 });
    const limits = { writeStallMs: Infinity, ...options.limits };
    const app = await startRealtimeApp({ backend, providers: [LongTopic], options: { ...options, limits } });
    const epoch = await publish(app, COUNT, PAYLOAD);
    const client = await PausingClient.to(app, 'ann');
    client.pause();
    client.recover(TOPIC, epoch, 0);
    await expect.poll(() => client.serverSide.writableLength, DEADLINE).toBeGreaterThan(0);
    return new Play(redis, proxy, app, epoch, client);
  }

  /** Waits until the client stands there. */
  reaches(offset: number): Promise<void> {
    return expect.poll(() => this.client.placeIn(TOPIC).offset, DEADLINE).toBe(offset);
  }
}

/** @returns the epoch */
async function publish({ realtime }: RealtimeApp, count: number, payload?: string): Promise<string> {
  let epoch = '';
  for (let n = 0; n < count; n += 50) {
    const some = Array.from({ length: Math.min(50, count - n) }, () =>
      realtime.publish(TOPIC, { type: 'entry', payload }, { report: false }),
    );
    epoch = (await Promise.all(some))[0]!.epoch!;
  }
  return epoch;
}

describe('A client that stops reading in the middle of its recovery', () => {
  it('gets the rest when it reads again, and what was published meanwhile, once and in order', async () => {
    const play = await Play.begin();
    await publish(play.app, 200);
    play.client.resume();
    await play.reaches(COUNT + 200);
    expect(play.client.placeIn(TOPIC)).toMatchObject({ losses: 0, violation: undefined });
  });

  it('has no more than a page waiting for it', async () => {
    const { client } = await Play.begin();
    expect(client.serverSide.writableLength).toBeLessThan(2 * 65_536);
  });

  it('is told when the rest is trimmed meanwhile, and misses nothing without a word', async () => {
    const crashes = watchForCrashes();
    const play = await Play.begin();
    await publish(play.app, SIZE);
    play.client.resume();
    await play.reaches(COUNT + SIZE);
    expect(play.client.placeIn(TOPIC)).toMatchObject({ losses: 1, violation: undefined });
    expect(crashes).toEqual([]);
  });

  it('twin: would miss that without a word if it were not told', async () => {
    const spy = vi.spyOn(LocalDelivery.prototype, 'missedBy').mockImplementation(() => undefined);
    onTestFinished(() => spy.mockRestore());
    const play = await Play.begin();
    await publish(play.app, SIZE);
    play.client.resume();
    await vi.waitFor(async () => {
      await publish(play.app, 1);
      expect(play.client.placeIn(TOPIC)).toMatchObject({ losses: 0, violation: expect.any(String) });
    }, DEADLINE);
  });

  it('is told when Redis comes back empty meanwhile, and gets what is published then', async () => {
    const play = await Play.begin();
    await play.redis.kill();
    await play.redis.restart();
    await vi.waitFor(() => publish(play.app, 1), DEADLINE);
    play.client.resume();
    await expect.poll(() => play.client.placeIn(TOPIC).losses, DEADLINE).toBe(1);
    await publish(play.app, 1);
    await play.reaches(2);
    expect(play.client.placeIn(TOPIC).violation).toBeUndefined();
  });

  it('waits while Redis is away, and then gets the rest', async () => {
    const play = await Play.begin();
    play.proxy.refuse();
    play.client.resume();
    await delay(1_500);
    const early = play.client.placeIn(TOPIC).offset;
    play.proxy.pass();
    await play.reaches(COUNT);
    expect(early).toBeLessThan(COUNT);
    expect(play.client.placeIn(TOPIC)).toMatchObject({ losses: 0, violation: undefined });
  });

  it('is closed when it has read nothing for too long, and recovers the rest with another connection', async () => {
    const heartbeat = { intervalMs: 50, timeoutMs: 60_000 };
    const { app, client, epoch } = await Play.begin({ heartbeat, limits: { writeStallMs: 1_500 } });
    await expect.poll(() => app.realtime.counts(), DEADLINE).toMatchObject({ connections: 0 });
    client.resume();
    await expect.poll(() => client.closedWith, DEADLINE).toBeDefined();
    const { offset, violation } = client.placeIn(TOPIC);
    const back = await PausingClient.to(app, 'ann');
    back.recover(TOPIC, epoch, offset);
    await expect.poll(() => back.placeIn(TOPIC).offset, DEADLINE).toBe(COUNT);
    expect(offset).toBeLessThan(COUNT);
    expect([violation, back.placeIn(TOPIC)]).toMatchObject([undefined, { losses: 0, violation: undefined }]);
  });
});
