export { redisBackend, type RedisBackendAsyncOptions } from './redis-backend.js';
export type { RedisBackendSecret } from './connection/frame-signer.js';
export type { HostPort } from './connection/master-report.js';
export type { RedisBackendOptions, RedisClientTemplate, RedisSentinelOptions } from './connection/redis-options.js';
