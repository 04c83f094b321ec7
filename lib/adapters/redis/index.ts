export { redisBackend, type RedisBackendAsyncOptions } from './redis-backend.js';
export type { RedisBackendOptions, RedisClientTemplate } from './redis-options.js';
