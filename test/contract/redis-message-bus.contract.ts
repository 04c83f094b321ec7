import { describe } from 'vitest';
import { RedisAssembly } from '../../lib/adapters/redis/redis-assembly.js';
import { messageBusContract } from '../../lib/testing/contracts/index.js';
import { keepsItsContract } from './prove.js';
import { redisCluster, redisServer } from './redis.js';

describe.each([
  ['one server', redisServer],
  ['a Redis Cluster', redisCluster],
])('on %s', (_place, start) => {
  const options = start();
  keepsItsContract('RedisMessageBus', messageBusContract, async () => (await RedisAssembly.create(options())).bus);
});
