import { describe, expect, it, vi } from 'vitest';
import { ERROR_CODES, type ErrorCode } from '../core/protocol/error-code.js';
import { RealtimeArgumentError } from './realtime-argument.error.js';
import { RealtimeConfigurationError } from './realtime-configuration.error.js';
import { RealtimeError } from './realtime.error.js';

/** The same classes, loaded again, as another copy of the package has them. */
async function otherCopy() {
  vi.resetModules();
  const [base, argument, configuration] = await Promise.all([
    import('./realtime.error.js'),
    import('./realtime-argument.error.js'),
    import('./realtime-configuration.error.js'),
  ]);
  return { ...base, ...argument, ...configuration };
}

class OwnError extends RealtimeError {}

describe('an error of another copy of the package', () => {
  it('is of another class, and instanceof knows it', async () => {
    const other = await otherCopy();
    expect(other.RealtimeError).not.toBe(RealtimeError);
    expect(new other.RealtimeError('FORBIDDEN', 'No.') instanceof RealtimeError).toBe(true);
    expect(new other.RealtimeArgumentError([{ at: 'a', message: 'b' }]) instanceof RealtimeArgumentError).toBe(true);
    expect(new other.RealtimeArgumentError([{ at: 'a', message: 'b' }]) instanceof RealtimeError).toBe(true);
    expect(new other.RealtimeConfigurationError('No.') instanceof RealtimeConfigurationError).toBe(true);
    expect(new RealtimeError('FORBIDDEN', 'No.') instanceof other.RealtimeError).toBe(true);
  });

  it('is none of ours with a code that only the other copy knows', async () => {
    const other = await otherCopy();
    const error = new other.RealtimeError('TEAPOT' as ErrorCode, 'No.');
    expect(error instanceof RealtimeError).toBe(false);
  });
});

describe('instanceof', () => {
  it('tells the classes of the package and those of an application apart', () => {
    const error = new RealtimeError('FORBIDDEN', 'No.');
    expect(error instanceof RealtimeArgumentError).toBe(false);
    expect(error instanceof OwnError).toBe(false);
    expect(new OwnError('FORBIDDEN', 'No.') instanceof OwnError).toBe(true);
    expect(new OwnError('FORBIDDEN', 'No.') instanceof RealtimeError).toBe(true);
  });

  it.each([null, undefined, 'RealtimeError', { code: 'FORBIDDEN', name: 'RealtimeError' }, new Error('No.')])(
    'says no of %o',
    (value: unknown) => {
      expect([value instanceof RealtimeError, value instanceof RealtimeConfigurationError]).toEqual([false, false]);
    },
  );
});

describe('the HTTP status', () => {
  const codes = Object.keys(ERROR_CODES).filter((code) => code !== 'INTERNAL') as ErrorCode[];

  it.each(codes)('is that of the code %s', (code) => {
    expect(new RealtimeError(code, 'text').statusCode).toBe(ERROR_CODES[code].httpStatus);
  });

  it('is left to Nest for a failure of the server and for a wrong argument', () => {
    expect(new RealtimeError('INTERNAL', 'text').statusCode).toBeUndefined();
    expect(new RealtimeArgumentError([{ at: 'a', message: 'b' }]).statusCode).toBeUndefined();
  });
});
