import { OnSubscribe, TopicGateway, type DeliveryReport } from 'nestjs-realtime';
import { MessageBus } from 'nestjs-realtime/ports';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { setTimeout as delay } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { RedisMessageBus } from '../../../lib/adapters/redis/bus/redis-message-bus.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import { Reader } from './reader.js';

/** A public topic. */
@TopicGateway('feed')
export class Feed {
  @OnSubscribe()
  enter() {
    return true;
  }
}

/** One of several nodes. */
export interface FleetNode extends RealtimeApp {
  /** The proxy between it and Redis. */
  readonly proxy: TcpProxy;
  /** Connected to it, and subscribed to `feed`. */
  readonly reader: Reader;
  readonly bus: RedisMessageBus;
}

/** How a fleet is made. */
export interface FleetParts extends RealtimeAppParts {
  /** Default 2. */
  readonly size?: number;
  /** Default: one of its own, which ends with the test. */
  readonly redis?: RedisServer;
  /** Where the nodes find Redis. Default: each through its proxy. */
  readonly place?: Pick<RedisBackendOptions, 'sentinel'>;
  /** Options of the backend. */
  readonly over?: Partial<RedisBackendOptions>;
  /** True: reports are incomplete until Redis has been up for a while. Default: nodes take it for one that has. */
  readonly isRedisNew?: boolean;
}

/** Several nodes over one Redis. Each has its own connection path and a reader. */
export class Fleet {
  private constructor(
    readonly redis: RedisServer,
    readonly nodes: readonly FleetNode[],
  ) {}

  /** It is closed when the test has finished. */
  static async start({ size = 2, redis, place, over, isRedisNew, ...parts }: FleetParts = {}): Promise<Fleet> {
    if (!isRedisNew) trustNewServers();
    const server = redis ?? (await startRedis());
    const nodes: FleetNode[] = [];
    for (let index = 0; index < size; index++) {
      const proxy = await startTcpProxy(server.port);
      const backend = redisBackend({ ...(place ?? { url: `redis://127.0.0.1:${proxy.port}` }), ...over });
      const app = await startRealtimeApp({
        ...parts,
        backend,
        providers: [Feed, ...(parts.providers ?? [])],
        finished: () => undefined,
      });
      onTestFinished(() => app.close());
      const reader = await Reader.join(app, `reader-${index}`);
      nodes.push({ ...app, proxy, reader, bus: app.app.get(MessageBus) });
    }
    return new Fleet(server, nodes);
  }

  get readers(): readonly Reader[] {
    return this.nodes.map(({ reader }) => reader);
  }

  /** The delivery report of a send that reaches every reader. */
  get everybody(): DeliveryReport {
    return { recipients: this.nodes.length, nodes: this.nodes.length, complete: true };
  }

  /** Waits until every node reaches every reader over the topic, and each by name. @returns how long it took, in milliseconds */
  async healed(withinMs = 20_000): Promise<number> {
    const start = performance.now();
    for (;;) {
      const wrong = await this.#wrong();
      const tookMs = performance.now() - start;
      if (wrong === undefined) return tookMs;
      if (tookMs > withinMs) throw new Error(`Not healed within ${withinMs} ms: ${wrong}`);
      await delay(20);
    }
  }

  /** The keys of its nodes in Redis. */
  async holdings(): Promise<{ readonly keys: number; readonly channels: number; readonly subscribers: number }> {
    const [keys, channels, clients] = await Promise.all([
      this.redis.cli('DBSIZE'),
      this.redis.cli('PUBSUB', 'CHANNELS'),
      this.redis.cli('CLIENT', 'LIST', 'TYPE', 'PUBSUB'),
    ]);
    // Which of these there are depends on how often each node has lost its subscriptions.
    const lasting = channels.split('\n').filter((name) => !name.includes(':restored:'));
    return { keys: Number(keys), channels: lines(lasting.join('\n')), subscribers: lines(clients) };
  }

  async #wrong(): Promise<string | undefined> {
    const names = this.nodes.map((_, index) => `reader-${index}`);
    for (const [index, { realtime }] of this.nodes.entries()) {
      const topic = await realtime.publish('feed', { type: 'healed?' });
      const users = await Promise.all(names.map((name) => realtime.sendToUser(name, { type: 'healed?' })));
      const isWhole =
        topic.complete &&
        topic.recipients === names.length &&
        users.every((each) => each.complete && each.recipients === 1);
      if (!isWhole) return `node ${index} reports ${JSON.stringify([topic, users])}`;
    }
    return undefined;
  }
}

function lines(text: string): number {
  return text === '' ? 0 : text.split('\n').length;
}
