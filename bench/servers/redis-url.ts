/** The environment variable in which the runner passes the URL to the nodes of a cluster. */
export const REDIS_URL = 'BENCH_REDIS_URL';

/** The address of the Redis between the nodes. */
export function redisUrl(): string {
  return process.env[REDIS_URL]!;
}
