import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectLogs } from '../../test/helpers/handler-harness.js';
import { RealtimeError } from './realtime.error.js';
import { RepeatedFailures } from './repeated-failures.js';

describe('failures that many clients share', () => {
  it('are logged once for each kind, and then counted', () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(0);
    onTestFinished(() => now.mockRestore());
    const logs = collectLogs();
    const failures = new RepeatedFailures('Test', 'It failed');
    for (let n = 0; n < 100; n++) failures.say(new RealtimeError('UNAVAILABLE', 'Redis is away.'));
    failures.say(new Error('something else'));
    now.mockReturnValue(10_000);
    failures.say(new RealtimeError('UNAVAILABLE', 'Redis is away.'));
    expect(logs).toEqual([
      'It failed: Redis is away.',
      expect.stringMatching(/^It failed\nError: something else\n {4}at /),
      'It failed: Redis is away. (99 more since the last line about it)',
    ]);
  });

  it('that are no errors are logged without their value', () => {
    const logs = collectLogs();
    new RepeatedFailures('Test', 'It failed').say('hunter2');
    expect(logs).toEqual(['It failed\na thrown string']);
  });
});
