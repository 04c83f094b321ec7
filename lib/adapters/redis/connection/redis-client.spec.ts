import { expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../../errors/realtime-configuration.error.js';
import { loadRedis, type RedisModule } from './redis-client.js';

/** A package that is not installed. */
const missing = 'redis-client-that-is-not-installed';

it('loads @redis/client', async () => {
  await expect(loadRedis()).resolves.toHaveProperty('createClient');
});

it('says what to install when @redis/client is missing', async () => {
  const failure = await loadRedis(() => import(missing) as Promise<RedisModule>).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RealtimeConfigurationError);
  expect((failure as Error).message).toBe(
    'nestjs-realtime/redis needs the package @redis/client: run "npm i @redis/client@6"',
  );
});

it('passes on what else went wrong', async () => {
  const broken = new SyntaxError('Unexpected token');
  await expect(loadRedis(() => Promise.reject(broken))).rejects.toBe(broken);
});
