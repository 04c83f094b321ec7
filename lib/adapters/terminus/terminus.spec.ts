import { expect, it } from 'vitest';
import { RealtimeConfigurationError } from '../../errors/realtime-configuration.error.js';
import { loadTerminus, type Terminus } from './terminus.js';

/** A package that is not installed. */
const missing = 'terminus-that-is-not-installed';

it('says what to install when @nestjs/terminus is missing', async () => {
  const failure = await loadTerminus(() => import(missing) as Promise<Terminus>).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(RealtimeConfigurationError);
  expect((failure as Error).message).toContain('npm i @nestjs/terminus');
});

it('passes on what else went wrong', async () => {
  const broken = new SyntaxError('Unexpected token');
  await expect(loadTerminus(() => Promise.reject(broken))).rejects.toBe(broken);
});
