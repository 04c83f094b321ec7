import { redisServerPath } from './redis-server.js';

/** Installs Redis where it is missing, before the clock of any test runs. When it cannot, the tests that need it say so by themselves. */
export async function setup(): Promise<void> {
  await redisServerPath().catch(() => undefined);
}
