import { expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { loadOtelApi, type OtelApi } from './otel-api.js';

/** A package that is not installed. */
const missing = 'otel-that-is-not-installed';

it('says what to install when @opentelemetry/api is missing', async () => {
  const failure = await loadOtelApi(() => import(missing) as Promise<OtelApi>).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RealtimeConfigurationError);
  expect((failure as Error).message).toContain('npm i @opentelemetry/api@1');
});

it('passes on what else went wrong', async () => {
  const broken = new SyntaxError('Unexpected token');
  await expect(loadOtelApi(() => Promise.reject(broken))).rejects.toBe(broken);
});
