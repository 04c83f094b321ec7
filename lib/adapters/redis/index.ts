export { redisBackend, type RedisBackendAsyncOptions } from './redis-backend.js';
export type { RedisBackendOptions, RedisClientTemplate } from './connection/redis-options.js';
