import { expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { loadPromClient, type PromClient } from './prom-client.js';

/** A package that is not installed. */
const missing = 'prom-client-that-is-not-installed';

it('says what to install when prom-client is missing', async () => {
  const failure = await loadPromClient(() => import(missing) as Promise<PromClient>).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RealtimeConfigurationError);
  expect((failure as Error).message).toContain('npm i prom-client@15');
});

it('passes on what else went wrong', async () => {
  const broken = new SyntaxError('Unexpected token');
  await expect(loadPromClient(() => Promise.reject(broken))).rejects.toBe(broken);
});
