import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type { RedisBackendOptions } from '../../lib/adapters/redis/connection/redis-options.js';
import { startRedisCluster } from '../helpers/redis-cluster.js';
import { startSentinelGroup, type SentinelGroup } from '../helpers/redis-sentinel.js';
import { startRedis } from '../helpers/redis-server.js';

/** Makes options for adapters that share nothing with those of other tests. */
export type MakeOptions = () => RedisBackendOptions;

/** One server for the tests of a file. */
export function redisServer(): MakeOptions {
  let url = '';
  let end = async () => {};
  beforeAll(async () => ({ url } = await startRedis({ finished: (given) => (end = given) })));
  afterAll(() => end());
  return () => ({ url, prefix: `contract-${randomUUID()}` });
}

/** A master with replicas and sentinels for the tests of a file. */
export function redisSentinel(): MakeOptions {
  let group: SentinelGroup | undefined;
  let end = async () => {};
  beforeAll(async () => (group = await startSentinelGroup({ finished: (given) => (end = given) })), 60_000);
  afterAll(() => end());
  return () => ({ sentinel: group!.place, prefix: `contract-${randomUUID()}` });
}

/** A Redis Cluster for the tests of a file. */
export function redisCluster(): MakeOptions {
  let urls: readonly string[] = [];
  let end = async () => {};
  beforeAll(async () => ({ urls } = await startRedisCluster({ finished: (given) => (end = given) })), 60_000);
  afterAll(() => end());
  return () => ({ cluster: { rootNodes: urls.map((url) => ({ url })) }, prefix: `contract-${randomUUID()}` });
}
