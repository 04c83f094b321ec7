import { describe, expect, it, vi } from 'vitest';
import { collectLogs } from '../../../test/helpers/handler-harness.js';
import { endFailed, endIfFails } from './connection-failure.js';

const connection = () => ({ disconnect: vi.fn<(code: string) => void>() });

describe('a failure inside of a connection', () => {
  it('ends that connection and is logged', () => {
    const logs = collectLogs();
    const one = connection();
    endFailed(one, new Error('for the test'));
    expect([one.disconnect.mock.calls, logs]).toEqual([[['SERVER_ERROR']], [expect.stringContaining('for the test')]]);
  });

  it('of work that nobody waits for ends it as well', async () => {
    collectLogs();
    const one = connection();
    endIfFails(one, Promise.reject(new Error('for another test')));
    await vi.waitFor(() => expect(one.disconnect.mock.calls).toEqual([['SERVER_ERROR']]), 15_000);
  });

  it('does not exist while the work succeeds', async () => {
    const one = connection();
    const work = Promise.resolve();
    endIfFails(one, work);
    await work;
    expect(one.disconnect).not.toHaveBeenCalled();
  });
});
