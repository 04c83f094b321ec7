/**
 * The backend over Redis or Valkey, for many nodes.
 * @module nestjs-realtime/redis
 */
export { redisBackend, type RedisBackendAsyncOptions } from './redis-backend.js';
export type { RedisBackendSecret } from './connection/frame-signer.js';
export type { HostPort } from './connection/master-report.js';
export type { RedisBackendOptions } from './connection/redis-options.js';
export type { RedisClientTemplate, RedisPlaceOptions, RedisSentinelOptions } from './connection/redis-place.js';
