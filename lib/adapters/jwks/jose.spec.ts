import { expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { loadJose, type Jose } from './jose.js';

/** A package that is not installed. */
const missing = 'jose-that-is-not-installed';

it('loads jose', async () => {
  await expect(loadJose()).resolves.toHaveProperty('compactVerify');
});

it('says what to install when jose is missing', async () => {
  const failure = await loadJose(() => import(missing) as Promise<Jose>).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RealtimeConfigurationError);
  expect((failure as Error).message).toBe('nestjs-realtime/jwks needs the package jose: run "npm i jose@6"');
});

it('passes on what else went wrong', async () => {
  const broken = new SyntaxError('Unexpected token');
  await expect(loadJose(() => Promise.reject(broken))).rejects.toBe(broken);
});
