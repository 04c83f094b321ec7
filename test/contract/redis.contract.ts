import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, onTestFinished } from 'vitest';
import { RedisAssembly } from '../../lib/adapters/redis/redis-assembly.js';
import type { RedisBackendOptions } from '../../lib/adapters/redis/connection/redis-options.js';
import { RandomIdGenerator } from '../../lib/adapters/system/random-id-generator.js';
import {
  historyStoreContract,
  messageBusContract,
  nodeDirectoryContract,
  sharedHistoryStoreContract,
  presenceStoreContract,
  sharedMessageBusContract,
  sharedNodeDirectoryContract,
  sharedPresenceStoreContract,
} from '../../lib/testing/contracts/index.js';
import { trustNewServers } from '../helpers/old-servers.js';
import { keepsItsContract } from './prove.js';
import { redisCluster, redisSentinel, redisServer } from './redis.js';

describe.each([
  ['one server', redisServer],
  ['a master with sentinels', redisSentinel],
  ['a Redis Cluster', redisCluster],
])('on %s', (_place, start) => {
  const place = start();
  let distrust = () => {};
  beforeAll(() => trustNewServers((end) => (distrust = end)));
  afterAll(() => distrust());
  const prefix = `contract-${randomUUID()}`;
  const assemble = (options?: RedisBackendOptions) =>
    RedisAssembly.create({ ...place(), prefix, ...options }, new RandomIdGenerator());

  const createBus = async () => (await assemble()).bus;
  keepsItsContract('RedisMessageBus', messageBusContract, createBus);
  keepsItsContract('RedisMessageBus, several of them', sharedMessageBusContract, createBus);

  const createHistory = async () => {
    const { history, bus } = await assemble();
    return { history, bus, elapse: (ms: number) => delay(ms) };
  };
  keepsItsContract('RedisHistoryStore', historyStoreContract, createHistory);
  keepsItsContract('RedisHistoryStore, several of them', sharedHistoryStoreContract, createHistory);

  const createDirectory = async () => {
    const { bus, directory } = await assemble();
    await bus.open({ id: randomUUID(), receive: () => 0, respond: () => [] });
    onTestFinished(() => bus.close());
    return directory;
  };
  keepsItsContract('RedisNodeDirectory', nodeDirectoryContract, createDirectory);
  keepsItsContract('RedisNodeDirectory, several of them', sharedNodeDirectoryContract, createDirectory);

  const createPresence = async () => {
    const { bus, presence } = await assemble({ leaseRefreshMs: 500, leaseTtlMs: 2_500 });
    return { bus, store: presence, crash: () => bus.close() };
  };
  keepsItsContract('RedisPresenceStore', presenceStoreContract, createPresence);
  keepsItsContract('RedisPresenceStore, several of them', sharedPresenceStoreContract, createPresence);
});
