import { ConnectionRegistry } from 'nestjs-realtime/ports';
import { redisBackend, type RedisBackendOptions } from 'nestjs-realtime/redis';
import { queryObjects } from 'node:v8';
import { onTestFinished } from 'vitest';
import { TopicFeed } from '../../../lib/core/history/topic-feed.js';
import { trustNewServers } from '../../helpers/old-servers.js';
import { startRealtimeApp, type RealtimeApp, type RealtimeAppParts } from '../../helpers/realtime-app.js';
import { startRedis, type RedisServer } from '../../helpers/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.js';
import type { Host } from '../../resuming/host.js';
import { Trial, type TrialParts } from '../../resuming/trial.js';
import { Log } from '../load/node/log.js';

/** One of several nodes. */
export interface HistoryNode extends RealtimeApp, Host {
  /** The proxy between it and Redis. */
  readonly proxy: TcpProxy;
}

/** How a fleet is made. */
export interface HistoryFleetParts extends RealtimeAppParts {
  /** Default: one of its own, which ends with the test. */
  readonly redis?: RedisServer;
  /** Options of the backend. */
  readonly over?: Partial<RedisBackendOptions>;
}

const NODES = 3;

/** Three nodes over one Redis, whose topics keep a history. Each has its own way there. */
export class HistoryFleet {
  private constructor(
    readonly redis: RedisServer,
    readonly nodes: readonly HistoryNode[],
  ) {}

  /** It is closed when the test has finished. */
  static async start({ redis, over, options, ...parts }: HistoryFleetParts = {}): Promise<HistoryFleet> {
    trustNewServers();
    const server = redis ?? (await startRedis());
    const nodes: HistoryNode[] = [];
    for (let index = 0; index < NODES; index++) {
      const proxy = await startTcpProxy(server.port);
      const backend = redisBackend({ url: `redis://127.0.0.1:${proxy.port}`, lingerMs: 50, ...over });
      const app = await startRealtimeApp({
        ...parts,
        options: { ...options, limits: { maxHistoryPage: 1_000, ...options?.limits } },
        backend,
        providers: [Log],
      });
      const { realtime } = app;
      nodes.push({
        ...app,
        proxy,
        port: Number(new URL(app.url).port),
        publish: (topic, message, how) => realtime.publish(topic, message, how),
      });
    }
    return new HistoryFleet(server, nodes);
  }

  /** The client side: connections, the channels of topics, and the delivery. */
  async holdings(): Promise<{ readonly connections: number; readonly channels: number; readonly feeds: number }> {
    const connections = this.nodes.map(({ app }) => [...app.get(ConnectionRegistry).ids()].length);
    const channels = await this.redis.cli('PUBSUB', 'CHANNELS', 'realtime@0:topic:*');
    return {
      connections: connections.reduce((sum, count) => sum + count),
      channels: channels === '' ? 0 : channels.split('\n').length,
      feeds: queryObjects(TopicFeed, { format: 'count' }),
    };
  }

  /** The keys in Redis that do not expire by themselves. */
  async keysForEver(): Promise<readonly string[]> {
    const keys = (await this.redis.cli('KEYS', '*')).split('\n');
    const lives = await Promise.all(keys.map(async (key) => [key, await this.redis.cli('PTTL', key)] as const));
    return lives.filter(([, life]) => Number(life) < 0).map(([key]) => key);
  }

  /** Has some publish to a topic, and others subscribe to it, until the test has finished. */
  async trial(parts?: TrialParts): Promise<Trial> {
    const trial = await Trial.begin(() => this.nodes, parts);
    onTestFinished(() => trial.stop());
    return trial;
  }
}
