import { OnSubscribe, TopicGateway, user } from 'nestjs-realtime';
import { RealtimeOtelModule } from 'nestjs-realtime/otel';
import { redisBackend } from 'nestjs-realtime/redis';
import { describe, expect, it } from 'vitest';
import { manageContexts, OtelInMemory } from '../../helpers/otel.js';
import { startRealtimeApp } from '../../helpers/realtime-app.js';
import { startRedis } from '../../helpers/redis-server.js';

@TopicGateway('chat:{room}')
class Chat {
  @OnSubscribe()
  enter() {
    return true;
  }
}

@TopicGateway('log:{name}', { history: { size: 10, ttlMs: 60_000 } })
class Log {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** The context that a message carries. */
const traceOf = (frame: object) => (frame as { trace?: string }).trace ?? 'none';

/** Two nodes over one Redis, each with an SDK of its own. */
async function start(secret?: string) {
  manageContexts();
  const redis = await startRedis();
  const node = async (isTraced = true) => {
    const otel = new OtelInMemory();
    const { meterProvider, tracerProvider } = otel;
    const module = RealtimeOtelModule.forRoot({ meterProvider, tracerProvider, trace: { frames: true } });
    const backend = redisBackend({ url: redis.url, ...(secret !== undefined && { secret: { sign: secret } }) });
    const app = await startRealtimeApp({ providers: [Chat, Log], backend, imports: isTraced ? [module] : [] });
    return { ...app, otel };
  };
  return { redis, node };
}

describe('A publish on one node', () => {
  it.each([
    ['to a topic', 'chat:1', 'chat:{room}', undefined],
    ['to a topic, over signed frames', 'chat:1', 'chat:{room}', 'a secret of the fleet, long enough'],
    ['to a topic with a history', 'log:1', 'log:{name}', undefined],
    ['to a topic with a history, over signed frames', 'log:1', 'log:{name}', 'a secret of the fleet, long enough'],
  ])(
    '%s is one trace with its delivery on the other, whatever the number of recipients',
    async (_what, topic, pattern, secret) => {
      const { node } = await start(secret);
      const [a, b] = [await node(), await node()];
      const guests = [await b.connectAs('ann'), await b.connectAs('bob'), await a.connectAs('cid')];
      for (const guest of guests) await guest.request({ action: 'subscribe', topic });
      await a.realtime.publish(topic, { type: 'news' });
      const traces = new Set<string>();
      for (const guest of guests) traces.add(traceOf(await guest.next('news')));
      await expect.poll(() => b.otel.named(`deliver ${pattern}`).length).toBe(1);
      const [publish] = a.otel.named(`publish ${pattern}`);
      const [delivery] = b.otel.named(`deliver ${pattern}`);
      const { traceId, spanId } = publish!.spanContext();
      expect(delivery?.spanContext().traceId).toBe(traceId);
      expect(delivery?.parentSpanContext).toMatchObject({ spanId, isRemote: true });
      expect([publish, delivery].map((span) => span?.attributes['realtime.recipients'])).toEqual([3, 2]);
      expect(traces).toEqual(new Set([`00-${traceId}-${spanId}-01`]));
      // Its own delivery belongs to the publish.
      expect(a.otel.named(`deliver ${pattern}`)).toEqual([]);
    },
  );

  it('reaches a node that does not trace, and one that does not trace reaches it', async () => {
    const { node } = await start();
    const [a, b] = [await node(), await node(false)];
    const [ann, bob] = [await a.connectAs('ann'), await b.connectAs('bob')];
    await a.realtime.to(user('bob')).send({ type: 'news' });
    await b.realtime.to(user('ann')).send({ type: 'news' });
    expect(await bob.next('news')).not.toHaveProperty('trace');
    expect(await ann.next('news')).not.toHaveProperty('trace');
    expect(a.otel.named('deliver user')).toEqual([]);
  });
});
